"""The films of each browser: those that run and wait, those that have ended, and those that a program left undone."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.jobs.job_list import JobKind
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, VideoResult, input_identity
from ui.fair_queue import FairQueue
from ui.handlers.video import KINDS, make_values, target_of
from ui.handlers.video_frames import packed
from ui.jobs import UiJob
from ui.upload_cache import CachedUpload, unfinished
from ui.visitors import Visitor, Visitors
from utils.errors import EngineError, InvalidSettingsError, InvalidVideoError, JobCancelled, WorkerLostError

TAB = "video"
_KEPT = 20
"""Ended films that are remembered."""


@dataclass(frozen=True)
class FilmRequest:
    """What is to be done with one upload; it outlives the program as JSON.

    ``kind``: file type of the result, one of ``KINDS``.
    """

    settings: EnhanceSettings
    options: VideoOptions
    kind: str

    @classmethod
    def of_form(cls, given: Mapping[str, Any]) -> FilmRequest:
        """From the tab's fields. Raises ``InvalidSettingsError``."""
        settings, options = make_values(given)
        return cls(settings, options, given["kind"])

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``from_json``."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "options": self.options.model_dump(mode="json"),
            "kind": self.kind,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FilmRequest:
        """Raises ``InvalidSettingsError`` for what is no request of this version of the program."""
        try:
            kind = values["kind"] if values["kind"] in KINDS else "same"
            settings, options = values["settings"], values["options"]
            return cls(EnhanceSettings.create(**settings), VideoOptions.create(**options), kind)
        except (KeyError, TypeError) as error:
            raise InvalidSettingsError("What was to be done with the film cannot be read; start it anew.") from error


@dataclass(frozen=True)
class EndedFilm:
    """How a film ended: with a result, or an error.

    Attributes:
        identity, request: those of ``Film``.
        key: tells it from all others, whichever run of the program.
    """

    name: str
    result: VideoResult | None = None
    error: EngineError | None = None
    identity: str = ""
    request: FilmRequest | None = None
    key: str = field(default_factory=lambda: secrets.token_hex(6))


@dataclass(eq=False)
class Film:
    """A film that runs or waits.

    Attributes:
        identity: tells its file from others.
        ending: how it ended, where its turn had come.
        left_undone: its process or the program broke off, so it is to be offered again.
    """

    request: FilmRequest
    identity: str
    job: UiJob[VideoResult] | None = None
    ending: EndedFilm | None = None
    left_undone: bool = False


@dataclass(eq=False)
class Films:
    """One browser's.

    Attributes:
        mark: grows with every film that begins, ends, or is left undone.
        undone: names of films that were left undone; None where nobody has looked since that changed.
    """

    going: list[Film] = field(default_factory=list)
    ended: list[EndedFilm] = field(default_factory=list)
    mark: int = 0
    undone: tuple[str, ...] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class FilmQueue:
    """All browsers' films: they wait in a queue of their own, since a film takes hours and pictures are not to wait
    behind it. Every method may be called from any thread.

    Args:
        enhance: ``enhance_video_isolated``, or what stands in for it.
    """

    def __init__(self, config: Any, visitors: Visitors, enhance: Callable[..., VideoResult]) -> None:
        self._config, self._visitors, self.enhance = config, visitors, enhance
        self._fair_queue = FairQueue()
        self._looking = threading.Lock()

    def films(self, visitor: Visitor) -> Films:
        """The browser's."""
        with self._looking:
            made: Films = visitor.memory.setdefault(TAB, Films())
        return made

    def begin(self, request: Any, path: Path, wanted: FilmRequest, pictures: Sequence[Path] = ()) -> None:
        """Queue an upload, or numbered pictures under the name ``path``; it runs at once where nothing does.

        Raises:
            InvalidSettingsError: the same film with the same settings runs or waits already.
            InvalidVideoError, OutputError: the upload is gone, or cannot be kept.
            QueueFullError: too many films wait.
        """
        visitor = self._visitors.of(request)
        self._queue(request, CachedUpload.keep(path, visitor.folder, wanted.to_json(), pictures), wanted)

    def _queue(self, request: Any, upload: CachedUpload, wanted: FilmRequest, *, keep_refused: bool = False) -> None:
        """``keep_refused``: what the queue does not take is left to be offered again, instead of being removed."""
        visitor = self._visitors.of(request)
        films = self.films(visitor)
        try:
            film = Film(wanted, _identity(upload.path))
            with films.lock:
                if any(one.identity == film.identity and one.request == wanted for one in films.going):
                    raise InvalidSettingsError(
                        f"'{upload.path.name}' runs or waits with these settings already. Cancel it to begin anew."
                    )
                film.job = self._visitors.start(
                    request,
                    TAB,
                    lambda control: self._run(visitor, film, upload, control),
                    kind=JobKind.VIDEO,
                    name=upload.path.name,
                    queue=self._fair_queue,
                    needs_watcher=False,
                    beside=True,
                    at_end=lambda: self._put_away(films, film, upload),
                )
                films.going.append(film)
                films.mark += 1
        except EngineError:
            if keep_refused:
                upload.leave()
            else:
                upload.release()
            raise

    def _run(self, visitor: Visitor, film: Film, upload: CachedUpload, control: JobControl) -> VideoResult:
        """One film, when its turn has come."""
        wanted = film.request
        try:
            # Only now: while this one waited, others may have taken the name.
            with target_of(upload.path, visitor.folder, wanted.settings, wanted.kind, wanted.options) as target:
                result = self.enhance(
                    upload.path, target, wanted.settings, wanted.options, config=self._config, control=control
                )
            result = packed(result, visitor.folder)
        except Exception as error:
            film.left_undone = isinstance(error, WorkerLostError) or not isinstance(error, EngineError)
            film.ending = EndedFilm(upload.path.name, error=_as_engine_error(error))
            raise
        film.ending = EndedFilm(upload.path.name, result, None, film.identity, wanted)
        return result

    def _put_away(self, films: Films, film: Film, upload: CachedUpload) -> None:
        """A film is over, or was cancelled before it began: at one moment it is no longer going and has ended."""
        try:
            if film.left_undone:
                upload.leave()
            else:
                upload.release()
        finally:
            with films.lock:
                films.going.remove(film)
                if film.left_undone:
                    films.undone = None
                never = EndedFilm(upload.path.name, error=JobCancelled("Cancelled before it began."))
                films.ended = [*films.ended, film.ending or never][-_KEPT:]
                films.mark += 1

    def going(self, visitor: Visitor) -> list[Film]:
        """Films that run or wait, in the order in which they will be done."""
        films = self.films(visitor)
        with films.lock:
            found = [film for film in films.going if film.job is not None and not film.job.finished]
        return sorted(found, key=lambda film: film.job.step.position if film.job is not None else 0)

    def done(self, visitor: Visitor, path: Path, wanted: FilmRequest) -> VideoResult | None:
        """The result of that film with those settings, where this run of the program made it; the newest."""
        films = self.films(visitor)
        with films.lock:
            ended = [film for film in films.ended if film.result is not None and film.request == wanted]
        if not ended:
            return None
        identity = _identity(path)
        return next((film.result for film in reversed(ended) if film.identity == identity), None)

    def cancel(self, visitor: Visitor) -> None:
        """Cancel the film that runs; where none does, the first that waits."""
        for film in self.going(visitor)[:1]:
            if film.job is not None:
                film.job.cancel()

    # -- left undone -------------------------------------------------------------------------------------------------

    def left_undone(self, visitor: Visitor) -> tuple[str, ...]:
        """Names of films that an earlier run of the program, or a lost process, left undone."""
        films = self.films(visitor)
        with self._looking:
            if films.undone is None:
                found = unfinished(visitor.folder)
                films.undone = tuple(upload.path.name for upload in found)
                for upload in found:
                    upload.leave()
            return films.undone

    def go_on(self, request: Any) -> None:
        """Queue them all again, the oldest first; each goes on from its last finished part.

        Raises the first ``EngineError``, after all others were queued; what could not be stays offered.
        """
        trouble: EngineError | None = None
        visitor = self._visitors.of(request)
        films = self.films(visitor)
        with self._looking:
            found = unfinished(visitor.folder)
        for upload in found:
            try:
                wanted = FilmRequest.from_json(upload.request)
            except EngineError as error:
                upload.release()
                trouble = trouble or error
                continue
            try:
                self._queue(request, upload, wanted, keep_refused=True)
            except EngineError as error:
                trouble = trouble or error
        films.undone = None
        if trouble is not None:
            raise trouble

    def forget(self, visitor: Visitor) -> None:
        """Offer them no more; finished parts go after a week."""
        films = self.films(visitor)
        with self._looking:
            for upload in unfinished(visitor.folder):
                upload.release()
            films.undone = None


def _identity(path: Path) -> str:
    try:
        if path.is_dir():  # numbered pictures; links and copies keep their times
            facts = [(one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in sorted(path.iterdir())]
            return f"{facts} {path.name}"
        return f"{input_identity(path)} {path.name}"  # a copy under another name is a film of its own
    except OSError as error:
        raise InvalidVideoError(f"'{path.name}' cannot be read: {error.strerror or error}.") from error


def _as_engine_error(error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    return EngineError(f"An unforeseen fault: {error}. The log has the details.")


__all__ = ["TAB", "EndedFilm", "Film", "FilmQueue", "FilmRequest", "Films"]
