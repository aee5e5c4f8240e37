"""How the Image tab says what it knows: small pieces of HTML from values. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.machine.estimates import Estimate
from engine.storage.history import Run
from ui.handlers.common import rough_words, time_words
from ui.handlers.workspace import Compared
from ui.strings import Words
from utils.image_files import ImageInfo

if TYPE_CHECKING:
    from engine.intelligent_enhancer import Recommendation

_VERDICTS = (
    ("Faithful", "faithful", "good"),
    ("Mostly", "mostly", "good"),
    ("Partly", "partly", "fair"),
    ("Largely", "invented", "fair"),
)


def file_url(path: str | Path) -> str:
    """The address of one of our files, for ``src``; relative, so that it holds under any root."""
    return "gradio_api/file=" + quote(str(path))


def bytes_words(count: int) -> str:
    """``16 KB`` or ``2.31 MB``."""
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} KB"


def chips(values: Sequence[str]) -> str:
    return '<p class="chips">' + "".join(f"<span>{escape(value)}</span>" for value in values) + "</p>"


def facts(info: ImageInfo, words: Words) -> list[str]:
    """What the header says."""
    found = [f"{info.width} × {info.height}", info.format.upper(), bytes_words(info.file_bytes)]
    if info.bit_depth == 16:
        found.append(words("found_deep"))
    if info.frames > 1:
        found.append(words("found_frames", count=info.frames))
    if info.pages > 1:
        found.append(words("found_pages", count=info.pages))
    return found


def advice_html(info: ImageInfo, advice: Recommendation, words: Words) -> str:
    """What was seen: content, with certainty or doubt, and wear as chips."""
    analysis = advice.analysis
    sure, subject = words("found_unsure"), words("subject_doubtful")
    if analysis.certain:
        subject = words(f"subject_{analysis.subject}")
        sure = words("found_sure", share=analysis.confidence["content_type"])
    found = facts(info, words)
    if analysis.noise_sigma >= 2:
        found.append(words("found_noise", sigma=analysis.noise_sigma))
    if analysis.jpeg_quality is not None and analysis.jpeg_quality < 85:
        found.append(words("found_jpeg", quality=analysis.jpeg_quality))
    elif analysis.blockiness > 0.5:
        found.append(words("found_blocks"))
    if analysis.blur > 0.6:
        found.append(words("found_blur"))
    if analysis.gray:
        found.append(words("found_gray"))
    if analysis.alpha:
        found.append(words("found_alpha"))
    if analysis.faces:
        found.append(words("found_faces", count=analysis.faces))
    return f'<p class="lead"><strong>{escape(subject)}</strong>, {escape(sure)}</p>{chips(found)}'


def plan_html(done: str, reasons: Sequence[str], words: Words) -> str:
    """What will be done and why, in words: the first reason in sight, the others behind a click."""
    chosen = f'<p class="chosen">{escape(done)}</p>'
    first = "".join(f'<p class="quiet">{escape(reason)}</p>' for reason in reasons[:1])
    more = "".join(f"<li>{escape(reason)}</li>" for reason in reasons[1:])
    if more:
        more = f"<details><summary>{escape(words('advice_why'))}</summary><ul>{more}</ul></details>"
    return chosen + first + more


def changes_html(changed: Sequence[tuple[str, str, str]], words: Words) -> str:
    """(name, label, value) of what was changed by hand, each with its way back to automatic, and the way for all."""
    if not changed:
        return ""
    back = words("back_to_automatic")
    items = "".join(
        f'<li><button type="button" data-back="{escape(name)}" title="{escape(back)}" '
        f'aria-label="{escape(f"{label}: {value}. {back}")}">{escape(label)}: {escape(value)} '
        f'<span aria-hidden="true">↺</span></button></li>'
        for name, label, value in changed
    )
    every = ""
    if len(changed) > 1:
        every = f'<button type="button" class="every" data-back="all">{escape(words("all_automatic"))}</button>'
    return f'<p class="by-hand">{escape(words("changed_by_hand"))}</p><ul>{items}</ul>{every}'


def name_html(name: str) -> str:
    """What is open, in one line that is cut off where it is too long."""
    told = escape(name, quote=True)
    return f'<p title="{told}">{told}</p>'


def named_html(model: str, qualities: str, words: Words) -> str:
    """In place of the qualities, where a model was named: which, and the way back.

    Args:
        qualities: elem_id of their field, which goes out of sight, with its box where nothing else is seen in it. By a
            style: it comes and goes with these words, while a component that the page takes out and puts in again once
            stayed away.
    """
    alone = f".form:has(> #{qualities}):not(:has(> :not(#{qualities}, .hidden)))"
    away = f"<style>#{qualities}, {alone} {{ display: none !important; }}</style>"
    back = f'<button type="button" data-back="model">{escape(words("named_back"))}</button>'
    return f"{away}<p>{escape(words('named_model', name=model))} {back}</p>"


def marks_html(fields: Sequence[str], groups: Sequence[str], words: Words) -> str:
    """Marks the fields of the form (by their elem_id) that were changed by hand, and the folded groups they are in."""
    said = "".join(letter for letter in words("by_hand") if letter not in '"\\<>')
    rules = [f"#{one} {{ box-shadow: inset 3px 0 0 var(--color-accent); }}" for one in fields]
    rules += [f'#{one} [data-testid="block-info"]::after {{ content: " · {said}"; }}' for one in fields]
    rules += [f'#{one} .label-wrap > span:first-child::after {{ content: " · {said}"; }}' for one in groups]
    return f"<style>{' '.join(rules)}</style>" if rules else ""


def estimate_html(size: tuple[int, int], expected: Estimate, free_bytes: int, words: Words) -> str:
    """Size, time and memory before the start."""
    time = rough_words(words, expected.seconds)
    line = words(
        "estimate",
        width=size[0],
        height=size[1],
        time=words("estimate_time" if expected.measured else "estimate_rough", time=time),
        memory=words("estimate_memory", gigabytes=expected.memory_mb / 1000),
    )
    tight = ""
    if expected.memory_mb * 1e6 > free_bytes:
        tight = f'<span class="warn">{escape(words("estimate_tight", gigabytes=free_bytes / 1e9))}</span>'
    return f'<p data-seconds="{expected.seconds:.1f}">{escape(line)} {tight}</p>'


def mode_labels(seconds: dict[str, float], words: Words) -> list[tuple[str, str]]:
    """(label, value) of the qualities, with what each would take."""
    return [(f"{words(f'mode_{mode}')} · {rough_words(words, expected)}", mode) for mode, expected in seconds.items()]


def done_html(run: Run, words: Words) -> str:
    """What was done, in one line."""
    seconds = time_words(words, run.seconds.get("total", 0.0))
    key = "done" if run.seconds.get("inference") else "done_before"
    line = words(key, width=run.output_size[0], height=run.output_size[1], time=seconds, model=run.model)
    return f'<p class="done" data-job="done">{escape(line)}</p>'


def notes_html(run: Run, words: Words) -> str:
    """What the person should know of a result besides."""
    return "".join(
        f'<p class="calm"><strong>{escape(words("note"))}</strong> {escape(words.said(warning))}</p>'
        for warning in run.warnings
    )


def verdict_html(run: Run, words: Words) -> str:
    """The judgement in plain words."""
    said = str(run.metrics.get("verdict", ""))
    key, mood = next(((key, mood) for start, key, mood in _VERDICTS if said.startswith(start)), ("unknown", "fair"))
    if not said:
        return ""
    return f'<p class="verdict {mood}">{escape(words(f"verdict_{key}"))}</p>'


def metric_rows(run: Run, words: Words) -> list[tuple[str, str]]:
    """(measure, value) of a run."""
    metrics: dict[str, Any] = run.metrics

    def pair(before: Any, after: Any) -> str:
        return words("value_to", before=before, after=after)

    rows = [
        ("size", pair(*(f"{width} × {height}" for width, height in (run.input_size, run.output_size)))),
        ("model", run.model),
        ("where", words("done_where", backend=run.backend, device=run.device, precision=run.precision)),
    ]
    if metrics.get("pages", 1) > 1:
        rows.append(("pages", str(metrics["pages"])))
    if "original_bytes" in metrics:
        sizes = (bytes_words(metrics[name]) for name in ("original_bytes", "enhanced_bytes"))
        rows.append(("file", pair(*sizes)))
    if metrics.get("faithfulness_ssim") is not None:
        rows.append(
            (
                "faithfulness",
                words("value_faithfulness", psnr=metrics["faithfulness_psnr_db"], ssim=metrics["faithfulness_ssim"]),
            )
        )
    for name in ("sharpness", "noise"):
        if f"{name}_before" in metrics:
            rows.append((name, pair(f"{metrics[f'{name}_before']:.1f}", f"{metrics[f'{name}_after']:.1f}")))
    if "color_difference_before" in metrics:
        before, after = metrics["color_difference_before"], metrics["color_difference_after"]
        rows.append(("color", words("value_color", before=before, after=after)))
    if run.seconds.get("inference"):
        load, inference = (time_words(words, run.seconds[name]) for name in ("load", "inference"))
        rows.append(("time", words("value_time", load=load, run=inference)))
    if metrics.get("tiles"):
        rows.append(("tiles", words("value_tiles", count=metrics["tiles"], side=metrics.get("tile", 0))))
    if metrics.get("peak_memory_mb"):
        rows.append(("memory", f"{metrics['peak_memory_mb'] / 1000:.2f} GB"))
    return [(words(f"row_{name}"), value) for name, value in rows]


def metrics_html(run: Run, words: Words) -> str:
    """The measurements as a table."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in metric_rows(run, words)
    )
    return f'<table class="measures"><tbody>{rows}</tbody></table>'


def history_html(runs: Sequence[Run], current: Run | None, thumbnails: dict[int, str], words: Words) -> str:
    """The strip of recent results; every one a button."""
    if not runs:
        return ""
    items = []
    for run in runs:
        size = f"{run.output_size[0]} × {run.output_size[1]}"
        label = escape(words("history_open", name=Path(run.output_path).name, size=size))
        pressed = "true" if current is not None and run.id == current.id else "false"
        items.append(
            f'<li><button type="button" data-run="{run.id}" aria-pressed="{pressed}" aria-label="{label}" '
            f'title="{label}"><img src="{escape(file_url(thumbnails[run.id]))}" alt="" loading="lazy">'
            f"<span>{escape(run.model)}</span></button></li>"
        )
    return f'<ul class="strip">{"".join(items)}</ul>'


def compare_html(made: Sequence[Compared], words: Words) -> str:
    """The grid of the same part through several models; a click takes the model."""
    cells = []
    for one in made:
        name = one.model or words("compare_before")
        time = f" {escape(time_words(words, one.seconds))}" if one.seconds else ""
        if one.problem:
            why = f'<p class="trouble">{escape(words.said(one.problem))}</p>'
            cells.append(f"<figure>{why}<figcaption>{escape(name)}</figcaption></figure>")
            continue
        use = words("compare_use", name=name)
        button = f'<button type="button" data-model="{escape(one.model)}">{escape(use)}</button>' if one.model else ""
        cells.append(
            f'<figure><img src="{escape(file_url(one.file))}" alt="{escape(name)}">'
            f"<figcaption><strong>{escape(name)}</strong>{time}{button}</figcaption></figure>"
        )
    return f'<div class="grid">{"".join(cells)}</div>'
