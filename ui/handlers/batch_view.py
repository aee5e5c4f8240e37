"""What the Batch tab shows, as HTML: the plan before the start, the state, and the table of pictures."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from engine.batch import BatchItem, BatchPlan, BatchRequest, BatchSnapshot, ItemState, ItemStatus, Phase, read_journal
from ui.handlers.batch_facts import Expected
from ui.handlers.common import time_words
from ui.handlers.image_html import file_url
from ui.strings import Words
from utils.names import as_text

ROWS = 100
"""Pictures a page of the table."""
_SHOWN_SENTENCES = 5
_SHOWN_PLANNED = 200
_WIDTHS = {0: "", 2: "short breaks"}
"""Columns whose text may break: the name anywhere, the model's between its parts."""
_FIRST = (ItemState.RUNNING, ItemState.FAILED)
SHOWS: dict[str, tuple[ItemState, ...]] = {
    "all": tuple(ItemState),
    "running": (ItemState.RUNNING, ItemState.QUEUED),
    "failed": (ItemState.FAILED, ItemState.CANCELLED),
    "done": (ItemState.DONE, ItemState.SKIPPED),
}


def size_words(count: float) -> str:
    """``512 B``, ``3.4 MB``, ``1.2 GB``; powers of ten, as file managers show."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit != "MB" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def plan_html(plan: BatchPlan, words: Words, expected: Expected | None = None) -> str:
    """Pictures, time, space, and what is to be known before the start."""
    known = sum(item.done_before for item in plan.items)
    bad = [item for item in plan.items if item.problem]
    facts = [words("batch_plan_pictures", count=len(plan.items))]
    if known:
        facts.append(words("batch_plan_known", count=known))
    if expected is not None:
        time = time_words(words, max(0.1, expected.seconds))
        facts.append(words("estimate_time" if expected.measured else "estimate_rough", time=time))
    facts.append(words("batch_plan_space", need=size_words(plan.estimated_bytes), free=size_words(plan.free_bytes)))
    notes = [escape(words.said(text)) for text in plan.warnings]
    notes += [
        words("batch_plan_bad", name=escape(item.name), problem=escape(words.said(item.problem or ""))) for item in bad
    ]
    return note_html(" · ".join(facts), notes, words, warning=bool(plan.warnings))


def planned_html(plan: BatchPlan, words: Words) -> str:
    """The pictures that were found, each with its size now and then, as a table."""
    rows = "".join(_planned_row(item, words) for item in plan.items[:_SHOWN_PLANNED])
    if not rows:
        return ""
    more = len(plan.items) - _SHOWN_PLANNED
    rest = f'<p class="quiet">{words("batch_more", count=more)}</p>' if more > 0 else ""
    head = "".join(
        f'<th scope="col">{words(f"batch_column_{name}")}</th>' for name in ("picture", "size", "result", "state")
    )
    title = words("batch_planned")
    return (
        f'<section class="card jobs" aria-label="{title}"><h3>{title}</h3>'
        f'<div class="table-box" tabindex="0" role="region" aria-label="{title}"><table class="rows">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}</section>"
    )


def _planned_row(item: BatchItem, words: Words) -> str:
    before, after = (f"{size[0]} × {size[1]}" if size else "" for size in (item.input_size, item.output_size))
    state = "failed" if item.problem else "skipped" if item.done_before else "queued"
    text = words("batch_unusable") if item.problem else words(f"batch_state_{state}")
    cells = (before, after, f'<span class="chip {state}">{text}</span>')
    rest = "".join(f'<td class="short">{cell}</td>' if cell else '<td class="empty"></td>' for cell in cells)
    return f"<tr><td><span>{escape(item.name)}</span></td>{rest}</tr>"


def earlier_html(paths: list[tuple[Path, str]], count: int, words: Words) -> str:
    """Results of before, each (file, small picture) to be saved; empty without any."""
    shown = "".join(_earlier(path, small) for path, small in paths)
    if not shown:
        return ""
    title = words("batch_earlier")
    more = words("batch_more", count=count - len(paths)) if count > len(paths) else ""
    return f'<section class="earlier" aria-label="{title}"><h3>{title}</h3><ul>{shown}</ul><p>{more}</p></section>'


def _earlier(path: Path, small: str) -> str:
    name = escape(as_text(path.name), quote=True)
    return (
        f'<li><a href="{escape(file_url(path), quote=True)}" download="{name}">'
        f'<img src="{escape(file_url(small), quote=True)}" alt="" loading="lazy"><span>{name}</span></a></li>'
    )


def note_html(sentence: str, notes: list[str], words: Words, *, warning: bool = False) -> str:
    """A box with a sentence, and a list below it whose length is bounded. ``notes`` are HTML already."""
    more = len(notes) - _SHOWN_SENTENCES
    items = "".join(f"<li>{note}</li>" for note in notes[:_SHOWN_SENTENCES])
    if more > 0:
        items += f"<li>{words('batch_more', count=more)}</li>"
    kind = "note warning" if warning else "note"
    return f'<div class="{kind}"><p>{sentence}</p>{f"<ul>{items}</ul>" if items else ""}</div>'


def trouble_html(why: object, words: Words) -> str:
    """Why something was not done: an error, or what the engine said."""
    return f'<div class="note trouble" role="alert" data-job="failed"><p>{escape(words.said(why))}</p></div>'


def status_html(snapshot: BatchSnapshot | None, words: Words) -> str:
    """The state of the whole: a bar and a sentence."""
    if snapshot is None:
        return ""
    if snapshot.error:
        return trouble_html(snapshot.error, words)
    sentence, detail = _sentence(snapshot, words)
    return bar_html(_fraction(snapshot), sentence, detail, label=words("batch_progress"), how=_how(snapshot))


def unfinished_html(request: BatchRequest, words: Words) -> str:
    """The offer to go on with a batch."""
    done = len({entry.target for entry in read_journal(request.output_dir).entries.values() if entry.finished_output})
    names = ", ".join(as_text(path.name) for path in request.inputs[:3]) + (" …" if len(request.inputs) > 3 else "")
    return f"<p>{words('batch_unfinished', inputs=escape(names), done=done)}</p>"


def bar_html(fraction: float, sentence: str, detail: str = "", *, label: str, how: str = "running") -> str:
    """A progress bar with a heading; text is escaped here. ``how``: as in ``ui.notices``."""
    percent = round(100 * min(1.0, max(0.0, fraction)))
    return (
        f'<div class="job"><p class="job-line"><strong>{escape(sentence)}</strong>'
        f"<span>{escape(detail)}</span></p>"
        f'<div class="bar" role="progressbar" data-job="{how}" aria-label="{escape(label)}" aria-valuenow="{percent}" '
        f'aria-valuemin="0" aria-valuemax="100"><div style="width:{percent}%"></div></div></div>'
    )


def _how(snapshot: BatchSnapshot) -> str:
    """Running, or how it ended."""
    if snapshot.result is None:
        return "running"
    if snapshot.result.cancelled:
        return "stopped"
    return "failed" if snapshot.count(ItemState.FAILED) else "done"


def _fraction(snapshot: BatchSnapshot) -> float:
    if snapshot.result is not None and not snapshot.result.cancelled:
        return 1.0
    return snapshot.progress.fraction if snapshot.progress is not None else 0.0


def _sentence(snapshot: BatchSnapshot, words: Words) -> tuple[str, str]:
    if snapshot.phase is Phase.WAITING:
        return words("queue_waiting", position=max(1, snapshot.ahead)), ""
    if snapshot.phase is Phase.PLANNING:
        return words("batch_planning"), ""
    if snapshot.result is not None:
        return _summary(snapshot, words), time_words(words, snapshot.result.seconds)
    ended = sum(snapshot.count(state) for state in (ItemState.DONE, ItemState.FAILED, ItemState.SKIPPED))
    text = words("batch_paused" if snapshot.phase is Phase.PAUSED else "batch_running")
    parts = [words("batch_of", done=ended, total=len(snapshot.items))]
    if failed := snapshot.count(ItemState.FAILED):
        parts.append(words("batch_failed", count=failed))
    progress = snapshot.progress
    if progress is not None and progress.eta_seconds is not None and snapshot.phase is Phase.RUNNING and ended:
        parts.append(words("left", time=time_words(words, progress.eta_seconds)))
    return text, " · ".join(parts)


def _summary(snapshot: BatchSnapshot, words: Words) -> str:
    done, failed = snapshot.count(ItemState.DONE), snapshot.count(ItemState.FAILED)
    text = words("batch_summary", done=done, failed=failed)
    if skipped := snapshot.count(ItemState.SKIPPED):
        text += ", " + words("batch_skipped", count=skipped)
    if snapshot.result is not None and snapshot.result.cancelled:
        left = snapshot.count(ItemState.QUEUED) + snapshot.count(ItemState.CANCELLED)
        text += ", " + words("batch_cancelled", count=left)
    return text


def chosen_items(snapshot: BatchSnapshot, show: str) -> list[ItemStatus]:
    """The pictures that a filter of the table lets through; what runs and what failed comes first."""
    states = SHOWS[show]
    found = [item for item in snapshot.items if item.state in states]
    return sorted(found, key=lambda item: (item.state not in _FIRST, item.number)) if len(found) > ROWS else found


def page_of(snapshot: BatchSnapshot, show: str, page: int) -> list[ItemStatus]:
    return chosen_items(snapshot, show)[(page - 1) * ROWS : page * ROWS]


def pages(snapshot: BatchSnapshot | None, show: str) -> int:
    return 1 if snapshot is None else max(1, -(-len(chosen_items(snapshot, show)) // ROWS))


def table_html(snapshot: BatchSnapshot | None, words: Words, show: str = "all", page: int = 1) -> str:
    """A page of the pictures' table."""
    if snapshot is None or not snapshot.items:
        return ""
    items = page_of(snapshot, show, page)
    if not items:
        return f'<p class="quiet">{words("batch_none_of_these")}</p>'
    columns = ("picture", "state", "model", "size", "time")
    names = [words(f"batch_column_{name}") for name in columns]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(_row(item, words) for item in items)
    return (
        f'<div class="table-box" tabindex="0" role="region" aria-label="{words("batch_table")}">'
        f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(item: ItemStatus, words: Words) -> str:
    sizes = ""
    if item.output_size:
        more = [words("batch_from", size=f"{item.input_size[0]} × {item.input_size[1]}")] if item.input_size else []
        more += [size_words(item.output_bytes)] if item.output_bytes else []
        sizes = f"{item.output_size[0]} × {item.output_size[1]}<br><small>{', '.join(more)}</small>"
    elif item.input_size:
        sizes = f"{item.input_size[0]} × {item.input_size[1]}"
    under = ""
    if item.error:
        under = f'<p class="reason">{escape(words.said(item.error))}</p>'
    elif item.warnings:
        under = f'<p class="remark">{escape(" ".join(map(words.said, item.warnings)))}</p>'
    cells: list[Any] = [
        f"<span>{escape(item.name)}</span>{under}",
        _state(item, words),
        escape(item.model or "").replace("_", "_<wbr>"),
        sizes,
        time_words(words, item.seconds) if item.seconds is not None else "",
    ]
    body = (
        f'<td class="{_WIDTHS.get(index, "short")}">{cell}</td>' if cell else '<td class="empty"></td>'
        for index, cell in enumerate(cells)
    )
    return f"<tr>{''.join(body)}</tr>"


def _state(item: ItemStatus, words: Words) -> str:
    text = words(f"batch_state_{item.state.value}")
    if item.state is ItemState.RUNNING:
        text += f" {item.fraction:.0%}"
    return f'<span class="chip {item.state.value}">{text}</span>'
