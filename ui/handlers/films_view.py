"""What the Video tab says of a browser's films, as Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from engine.jobs.job_list import ListedJob
from ui.handlers import video
from ui.handlers.film_stage import FILMS
from ui.handlers.films import EndedFilm, Film
from ui.handlers.image_html import file_url
from ui.handlers.jobs_view import action_buttons, state_chip
from ui.notices import ended_list, ended_mark
from ui.strings import Words
from utils.errors import JobCancelled
from utils.names import as_text

_EARLIER = 6
"""Results of before that are shown."""


def film_status(film: Film | None, last: EndedFilm | None, words: Words, several: bool) -> tuple[str, str]:
    """The bar (HTML) and the line (Markdown) of the film that runs or is next; without one, how the last one ended.

    Args:
        several: whether other films are about, so that this one has to be named.
    """
    if film is None or film.job is None:
        return ("", "") if last is None else (_mark(last), ending(last, words, several))
    name = _markdown(film.job.name)
    lead = f"**{name}**\n\n" if several else ""
    step = film.job.step
    if film.job.control.cancelled:
        return "", lead + words("video_stopping")
    if step.position:
        return "", lead + words("queue_waiting", position=step.position)
    if step.progress is not None:
        title = f'<p class="video-name">{escape(as_text(film.job.name))}</p>' if several else ""
        return title + video.progress_bar(words, step.progress), ""
    return "", lead + words("video_loading")


def _mark(film: EndedFilm) -> str:
    """Tells the page how it ended."""
    return ended_mark(_how(film))


def _how(film: EndedFilm) -> str:
    if film.result is not None:
        return "done" if film.result.complete else "stopped"
    return "stopped" if isinstance(film.error, JobCancelled) else "failed"


def ended_films(films: Sequence[EndedFilm]) -> str:
    """Tells the page of all films that have ended, so that each is announced once, however many end between two looks
    and whatever runs meanwhile."""
    return ended_list([(film.key, _how(film), as_text(film.name)) for film in films])


def ending(film: EndedFilm, words: Words, several: bool) -> str:
    """How a film ended, in Markdown."""
    lead = f"**{_markdown(film.name)}**\n\n" if several else ""
    if film.result is not None:
        return lead + video.summary(film.result, words)
    return lead + (video.sentence_of(film.error, words) if film.error is not None else "")


def player(film: EndedFilm | None, words: Words) -> str:
    """The result of the film that ended last, as long as its file is there."""
    if film is None or film.result is None or not film.result.output_path.is_file():
        return ""
    return video.player(film.result, words)


def waiting_html(jobs: Sequence[ListedJob], words: Words, ahead: int) -> str:
    """Films that wait behind the one that is shown, each with its place and buttons.

    Args:
        ahead: how many of the browser's wait before the first of these: 1 where the film that is shown waits too.
    """
    if not jobs:
        return ""
    rows = "".join(_waiting_row(job, before, words) for before, job in enumerate(jobs, ahead))
    return _box(words("video_waiting_title"), rows)


def _waiting_row(job: ListedJob, ahead: int, words: Words) -> str:
    name = as_text(job.name)
    return (
        f"<tr><td><span>{escape(name)}</span></td>"
        f'<td class="short">{state_chip(job, words)}</td>'
        f'<td class="short actions">{action_buttons(job, name, ahead, words)}</td></tr>'
    )


def ended_html(films: Sequence[EndedFilm], words: Words) -> str:
    """Films that ended before, the newest first, each with its download or why there is none."""
    if not films:
        return ""
    return _box(words("video_ended_title"), "".join(_ended_row(film, words) for film in reversed(films)))


def _ended_row(film: EndedFilm, words: Words) -> str:
    name = escape(as_text(film.name))
    if film.result is None:
        why = words.said(film.error) if film.error is not None else ""
        return f'<tr><td><span>{name}</span><p class="reason">{escape(why)}</p></td><td class="empty"></td></tr>'
    path = film.result.output_path
    width, height = film.result.output_size
    facts = words("video_ended_facts", frames=film.result.frames, width=width, height=height)
    if not film.result.complete:
        facts = f"{facts}, {words('video_ended_part')}"
    link = ""
    if path.is_file():
        address = escape(f"gradio_api/file={quote(str(path))}", quote=True)
        saved = escape(as_text(path.name), quote=True)
        link = f'<a class="small" href="{address}" download="{saved}">{words("video_ended_save")}</a>'
    return (
        f'<tr><td><span>{name}</span><p class="remark">{escape(facts)}</p></td>'
        f'<td class="{"short actions" if link else "empty"}">{link}</td></tr>'
    )


def earlier_films(folder: Path) -> list[Path]:
    """The newest results that lie in a browser's folder."""
    found = [path for path in folder.glob("[!.]*") if path.suffix.lower() in FILMS and path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:_EARLIER]


def earlier_html(paths: Sequence[Path], words: Words) -> str:
    """Results of before, each with a picture of it, to be saved; empty without any."""
    shown = "".join(_earlier(path) for path in paths)
    title = words("video_earlier")
    return f'<section class="earlier" aria-label="{title}"><h3>{title}</h3><ul>{shown}</ul></section>' if shown else ""


def _earlier(path: Path) -> str:
    name, address = escape(as_text(path.name), quote=True), escape(file_url(path), quote=True)
    return (
        f'<li><a href="{address}" download="{name}"><video preload="metadata" muted tabindex="-1" aria-hidden="true" '
        f'src="{address}#t=0.1"></video><span>{name}</span></a></li>'
    )


def offer_html(names: Sequence[str], words: Words) -> str:
    """The offer to go on with films that were left undone."""
    shown = ", ".join(as_text(name) for name in names[:3]) + (" …" if len(names) > 3 else "")
    return f"<p>{words('video_unfinished', names=escape(shown))}</p>"


def _box(title: str, rows: str) -> str:
    return (
        f'<section class="card jobs" aria-label="{title}"><h3>{title}</h3>'
        f'<table class="rows films"><tbody>{rows}</tbody></table></section>'
    )


def _markdown(name: str) -> str:
    """A file name as text of Markdown, whatever signs it holds."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~$&" else sign for sign in as_text(name))


__all__ = [
    "earlier_films",
    "earlier_html",
    "ended_films",
    "ended_html",
    "ending",
    "offer_html",
    "player",
    "film_status",
    "waiting_html",
]
