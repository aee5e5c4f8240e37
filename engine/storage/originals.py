"""Results that take the place of their originals, which go to the trash or to a folder; and the way back.

The result is whole on the disk, beside the original and hidden, before anything happens to the original, and every step
is in a journal before it is done. Whenever the program is killed, the original is where it was, or result and original
both are there; the next run, and ``undo``, finish what was begun.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Self

from engine.storage.in_place_journal import FileFacts, InPlaceJournal, Replacement, opened, runs
from engine.storage.trash import to_trash
from engine.types import EnhanceResult, EnhanceSettings
from utils import image_io
from utils.errors import OutputError
from utils.files import temporary_for
from utils.writers.base import output_error

logger = logging.getLogger(__name__)
_STAGED = ".in-place"


def replaced_path(source: Path, settings: EnhanceSettings) -> Path:
    """Where a result goes that takes an original's place: the same path, with the ending of the format written."""
    kind = settings.format if settings.format != "auto" else image_io.format_from_suffix(source) or "png"
    same = image_io.format_from_suffix(source) == kind
    return source if same else source.with_suffix(image_io.output_suffix(kind))


class Originals:
    """One run that replaces originals. Thread-safe. A context manager.

    What an earlier run left half done when it was killed is finished first, that of other runs as well.

    Args:
        data_dir: where journals are kept.
        run: the run's name; that of an earlier one goes on with it.
        backup: the folder that originals go to; None = the system's trash.

    Raises:
        OutputError: the journal cannot be written, or another process has this run.
    """

    def __init__(self, data_dir: Path, run: str, backup: Path | None = None) -> None:
        self._backup = None if backup is None else Path(backup).absolute()
        recover(data_dir, without=run)
        self._journal = InPlaceJournal(data_dir, run)
        _finish(self._journal)

    def replace(
        self,
        source: Path,
        target: Path,
        enhance: Callable[[Path], EnhanceResult],
        relative: PurePath | None = None,
    ) -> EnhanceResult:
        """Make the result and put it in the original's place.

        Args:
            target: the place, as ``replaced_path`` gives it or with another name.
            enhance: writes the result under the path that it is given.
            relative: the original's path below ``backup``; by default its name.

        Raises:
            OutputError: it cannot be replaced; the original is as it was.
            EngineError: as ``enhance`` raises them.
        """
        source, target = source.absolute(), target.absolute()
        _check(source, target)
        staged = source.with_name(f".{secrets.token_hex(6)}{_STAGED}{target.suffix}")
        try:
            original = FileFacts.of(source)
        except OSError as error:
            raise OutputError(f"Cannot read '{source}': {error.strerror or error}.") from error
        kept = None if self._backup is None else self._backup / (relative or source.name)
        number = secrets.token_hex(8)
        one = Replacement(number, "begun", source, target, staged, original, kept=kept, trashed=kept is None)
        one = self._journal.note(one)
        try:
            result = enhance(staged)
            one = self._ready(one)
            one = _placed(self._journal, one)
        except BaseException as error:
            _drop(self._journal, one)
            if isinstance(error, OSError):
                raise output_error(target, error) from error
            raise
        unchanged = target == source and one.result is not None and one.result.sha256 == original.sha256
        where = "unchanged" if unchanged else "trash" if one.trashed else str(one.kept)
        return replace(result, output_path=target, metrics={**result.metrics, "original": where})

    def _ready(self, one: Replacement) -> Replacement:
        """The result is whole: it takes over what the original's file is like, and is on the disk for good."""
        if not one.original.fit(one.source):
            raise OutputError(f"'{one.source}' was changed while it was enhanced; it was left as it is.")
        _like(one.staged, one.source)
        _to_disk(one.staged)
        return self._journal.note(one, state="ready", result=FileFacts.of(one.staged))

    def close(self) -> None:
        """End the run."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def recover(data_dir: Path, without: str = "") -> None:
    """Finish what killed runs left half done; runs that go on now are left alone."""
    for run in runs(data_dir):
        if run != without:
            with opened(data_dir, run) as journal:
                if journal is not None:
                    _finish(journal)


def _finish(journal: InPlaceJournal) -> None:
    """Every replacement of a journal is either placed or dropped afterwards."""
    for one in list(journal.entries.values()):
        if one.state not in ("begun", "ready"):
            continue
        try:
            if _can_go_on(one):
                _placed(journal, one)
            else:
                _drop(journal, one)
        except (OutputError, OSError) as error:
            logger.warning("'%s' is still half replaced: %s", one.source, error)


def _can_go_on(one: Replacement) -> bool:
    """Whether the result is whole, and nobody has changed the original since."""
    if one.state != "ready" or one.result is None:
        return False
    moved = not os.path.lexists(one.source)
    if one.result.fit(one.target):
        return True
    return one.result.fit(one.staged) and (moved or one.original.fit(one.source))


def _placed(journal: InPlaceJournal, one: Replacement) -> Replacement:
    """Bring a whole result into its place, from wherever a kill had stopped it. The original goes last or at once.

    Raises ``OutputError``, ``OSError``; then the original is as it was.
    """
    assert one.result is not None
    there = one.result.fit(one.target)
    in_place = there and one.target == one.source
    if one.kept is not None and not in_place and one.original.fit(one.source) and not one.original.fit(one.kept):
        one = journal.note(one, kept=_kept(one.source, one.kept))
    if one.target == one.source:
        if not there:
            if one.kept is None and os.path.lexists(one.source):
                to_trash(one.source)
            _rename(one.staged, one.target)
    else:
        if not there:
            _rename_to_new(one.staged, one.target)
        if os.path.lexists(one.source):
            try:
                _removed(one)
            except BaseException:
                if os.path.lexists(one.source):  # else the original has gone where it was to go
                    one.target.unlink(missing_ok=True)
                raise
    with suppress(OSError):
        one.staged.unlink(missing_ok=True)
    _to_disk(one.target.parent)
    return journal.note(one, state="placed")


def _removed(one: Replacement) -> None:
    if one.kept is None:
        to_trash(one.source)
    else:
        one.source.unlink()


def _drop(journal: InPlaceJournal, one: Replacement) -> None:
    """Forget a replacement that came to nothing; never raises, for an earlier error is what is to be seen."""
    moved = not os.path.lexists(one.source)
    if moved and one.state == "ready":  # the result is all that has no other place: it stays for the next start
        return
    with suppress(OSError, OutputError):
        one.staged.unlink(missing_ok=True)
        journal.note(one, state="dropped")


def _check(source: Path, target: Path) -> None:
    if source.is_symlink():
        raise OutputError(f"'{source}' is a link; name the file that it points to, '{os.path.realpath(source)}'.")
    if not source.is_file():
        raise OutputError(f"'{source}' is no file that could be replaced.")
    if target != source and os.path.lexists(target):
        raise OutputError(f"'{source}' is not replaced: '{target}' exists already.")
    if not os.access(source.parent, os.W_OK | os.X_OK):
        raise OutputError(f"'{source}' cannot be replaced: its folder may not be written.")


def _kept(source: Path, wanted: Path) -> Path:
    """Lay the original into its place in the backup folder, where nothing else lies; the original stays as well."""
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        candidate, number = wanted, 1
        while True:
            try:
                _laid(source, candidate)
                _to_disk(candidate.parent)
                return candidate
            except FileExistsError:
                number += 1
                candidate = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"'{source}' cannot be kept in '{wanted.parent}': {reason}. It stays as it is, and was not replaced."
        ) from error


def _laid(source: Path, target: Path) -> None:
    """The same file under a second name, or a whole copy of it on another disk. Raises ``FileExistsError``."""
    try:
        os.link(source, target)
        return
    except FileExistsError:
        raise
    except OSError:  # another disk, or one that knows no links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "it exists", str(target)) from None
    temporary = temporary_for(target)
    try:
        shutil.copy2(source, temporary)
        _to_disk(temporary)
        _rename_to_new(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _rename_to_new(source: Path, target: Path) -> None:
    """As ``os.rename``, but never over a file, where the disk knows links. Raises ``FileExistsError``."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "it exists", str(target)) from None
        os.rename(source, target)
        return
    source.unlink()


def _rename(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except PermissionError:
        if os.name != "nt" or not target.exists():
            raise
        target.chmod(0o600)  # Windows replaces no file that is marked read-only
        os.replace(source, target)


def _like(path: Path, original: Path) -> None:
    """Give a file the dates, rights and extended attributes of another; its owner where that is allowed."""
    shutil.copystat(original, path)
    if hasattr(os, "chown"):
        facts = original.stat()
        with suppress(OSError):
            os.chown(path, facts.st_uid, facts.st_gid)
            shutil.copystat(original, path)  # a new owner takes set-id bits away


def _to_disk(path: Path) -> None:
    """Until a file, or a folder's list of names, is on the disk. Windows does so for no folder."""
    if os.name == "nt":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


__all__ = ["Originals", "recover", "replaced_path"]
