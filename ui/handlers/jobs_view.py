"""What the lists of jobs show, as HTML: all of the program's in System Info, a browser's films in the Video tab."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from engine.jobs.job_list import API_OWNER, JobList, ListedJob, MoveTo, QueueState
from ui.handlers.common import time_words
from ui.job_table import Action
from ui.strings import Words
from utils.names import as_text

_COLUMNS = ("job", "source", "state", "progress", "running", "left", "actions")


def act(job_list: JobList, action: Action, owner: str | None) -> None:
    """Do what a row's button asks for.

    Args:
        owner: the browser that asks; None = it may act on all jobs.

    Raises:
        JobNotFoundError, JobAccessError, JobNotWaitingError.
    """
    if action.act == "cancel":
        job_list.cancel(action.job, owner)
    else:
        job_list.move(action.job, MoveTo(action.act), owner)


def overview_html(jobs: Sequence[ListedJob], owner: str, may_all: bool, words: Words, now: float) -> str:
    """The table of all jobs.

    Args:
        owner: the browser that looks: only its own files are named.
        may_all: whether it may act on all jobs.
        now: seconds since 1970.
    """
    title = words("jobs_title")
    if not jobs:
        none = f'<p class="quiet">{words("jobs_none")}</p>'
        return f'<section class="card jobs" aria-label="{title}"><h3>{title}</h3>{none}</section>'
    head = "".join(f'<th scope="col">{words(f"jobs_column_{name}")}</th>' for name in _COLUMNS)
    ahead = _ahead(jobs, None if may_all else owner)
    queued = sorted((job for job in jobs if job.view.state is QueueState.QUEUED), key=_queue_of)  # each in its order
    shown = [*(job for job in jobs if job.view.state is not QueueState.QUEUED), *queued]
    body = "".join(_row(job, owner, may_all, ahead.get(job.number, 0), words, now) for job in shown)
    rule = words("jobs_rule_all" if may_all else "jobs_rule_own")
    return (
        f'<section class="card jobs" aria-label="{title}"><h3>{title}</h3>'
        f'<div class="table-box" tabindex="0" role="region" aria-label="{title}"><table class="rows">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="quiet">{rule}</p></section>'
    )


def _row(job: ListedJob, owner: str, may_all: bool, ahead: int, words: Words, now: float) -> str:
    own, view = job.owner == owner, job.view
    kind = words(f"jobs_kind_{job.kind.value}")
    label = f"{kind} {as_text(job.name)}" if own and job.name else f"{kind} {job.number}"
    name = f'<p class="remark">{escape(as_text(job.name))}</p>' if own and job.name else ""
    whose = words("jobs_own" if own else "jobs_api" if job.owner == API_OWNER else "jobs_other")
    waits = view.state in (QueueState.QUEUED, QueueState.WAITING)
    running = span_words(words, now - view.started) if view.started is not None else ""
    left = words("jobs_about", time=span_words(words, view.eta_seconds)) if view.eta_seconds is not None else ""
    buttons = action_buttons(job, label, ahead, words) if own or may_all else ""
    cells = (
        (f"<span>{kind}</span>{name}", ""),
        (escape(whose), "short"),
        (state_chip(job, words), "short"),
        ("" if waits else progress_html(view.fraction, label), "short"),
        (running, "short"),
        (left, "short"),
        (buttons, "short actions"),
    )
    return "<tr>" + "".join(f'<td class="{kind if cell else "empty"}">{cell}</td>' for cell, kind in cells) + "</tr>"


def _ahead(jobs: Sequence[ListedJob], owner: str | None) -> dict[int, int]:
    """Waiting job -> how many wait before it that it may be moved before: of its queue, and of ``owner`` if given."""
    found: dict[int, int] = {}
    seen: Counter[str] = Counter()
    for job in jobs:
        if job.view.state is QueueState.QUEUED and (owner is None or job.owner == owner):
            found[job.number] = seen[_queue_of(job)]
            seen[_queue_of(job)] += 1
    return found


def _queue_of(job: ListedJob) -> str:
    """Which queue a job waits in: pictures and parts of the interface share one."""
    if job.owner == API_OWNER:
        return API_OWNER
    return job.kind.value if job.kind.value in ("batch", "video", "download") else "picture"


def state_chip(job: ListedJob, words: Words) -> str:
    """The state, with its place where the job waits."""
    state = job.view.state
    text = (
        words("jobs_place", place=job.view.position)
        if state in (QueueState.QUEUED, QueueState.WAITING)
        else words(f"jobs_state_{state.value}")
    )
    return f'<span class="chip {state.value}">{text}</span>'


def progress_html(fraction: float, label: str) -> str:
    """A small bar with its percents."""
    percent = round(100 * min(1.0, max(0.0, fraction)))
    return (
        f'<div class="share"><div class="bar" role="progressbar" aria-label="{escape(label)}" '
        f'aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100"><div style="width:{percent}%"></div></div>'
        f"<span>{percent} %</span></div>"
    )


def action_buttons(job: ListedJob, label: str, ahead: int, words: Words) -> str:
    """A row's buttons; none where nothing can be done.

    Args:
        ahead: how many jobs it may be moved before; of one, "up" is the front.
    """
    state = job.view.state
    if state is QueueState.STOPPING:
        return ""
    acts = ["front", "up"][-ahead:] if state is QueueState.QUEUED and ahead else []
    return "".join(_button(job.number, one, label, words) for one in (*acts, "cancel"))


def _button(number: int, act: str, label: str, words: Words) -> str:
    hint = escape(words(f"jobs_{act}_hint"))
    return (
        f'<button type="button" class="small {act}" data-job="{number}" data-act="{act}" title="{hint}" '
        f'aria-label="{hint}: {escape(label)}">{words(f"jobs_{act}")}</button>'
    )


def span_words(words: Words, seconds: float) -> str:
    """``42 s``, ``3 min 05 s`` or ``2 h 07 min``: whole seconds, for what is looked at while it changes."""
    whole = max(0, round(seconds))
    if whole < 60:
        return words("jobs_seconds", seconds=whole)
    return time_words(words, whole)


__all__ = ["act", "action_buttons", "overview_html", "progress_html", "span_words", "state_chip"]
