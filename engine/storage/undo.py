"""Bringing back the originals of a run that replaced them."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.storage.in_place_journal import FOLDER, InPlaceJournal, Replacement, read_replacements, runs
from engine.storage.originals import recover
from engine.storage.output_names import reserved
from engine.storage.trash import find_in_trash, trash_can_be_read
from utils.errors import InvalidSettingsError, OutputError
from utils.files import temporary_for
from utils.json_types import JsonObject


@dataclass(frozen=True)
class UndoReport:
    """What ``undo`` did.

    Attributes:
        restored: originals that are back under their names.
        kept_results: where results went that were to be kept.
        problems: original -> why it was not brought back, in a sentence.
    """

    run: str
    restored: tuple[Path, ...] = ()
    kept_results: tuple[Path, ...] = ()
    problems: tuple[tuple[Path, str], ...] = ()

    def to_json(self) -> JsonObject:
        """The object that ``undo --json`` prints."""
        return {
            "run": self.run,
            "restored": [str(path) for path in self.restored],
            "kept_results": [str(path) for path in self.kept_results],
            "problems": [{"original": str(path), "message": text} for path, text in self.problems],
        }


@dataclass(frozen=True)
class InPlaceRun:
    """A run that can be undone: how many originals, the first of them, and where they are (None = the trash)."""

    name: str
    count: int
    first: Path
    backup: Path | None


def undoable(data_dir: Path) -> list[InPlaceRun]:
    """Runs with originals to bring back, the newest first."""
    found = []
    for name in runs(data_dir):
        placed = [one for one in read_replacements(Path(data_dir) / FOLDER / f"{name}.jsonl") if one.state == "placed"]
        if placed:
            backup = placed[0].kept.parent if placed[0].kept is not None else None
            found.append(InPlaceRun(name, len(placed), placed[0].source, backup))
    return found


def undo(data_dir: Path, *, run: str = "", keep_results: bool = False) -> UndoReport:
    """Bring the originals of a run back; each takes its place from the result in one step.

    What a person has changed since is left alone, and said. Can be called again where something was in the way.

    Args:
        run: name of the run; by default the last one.
        keep_results: keep the enhanced pictures beside the originals, as ``NAME_enhanced``; else they go.

    Raises:
        InvalidSettingsError: there is no such run.
        OutputError: it is still going on, or its journal cannot be written.
    """
    recover(data_dir)
    known = [one.name for one in undoable(data_dir)]
    if run and run not in known:
        raise InvalidSettingsError(f"No run '{run}' that replaced originals is there to be undone.")
    if not known:
        raise InvalidSettingsError("No run that replaced originals is there to be undone.")
    name = run or known[0]
    restored: list[Path] = []
    kept: list[Path] = []
    problems: list[tuple[Path, str]] = []
    with InPlaceJournal(data_dir, name) as journal:
        for one in reversed([entry for entry in journal.entries.values() if entry.state == "placed"]):
            try:
                result = _restored(one, keep_results)
            except OutputError as error:
                problems.append((one.source, str(error)))
                continue
            except OSError as error:
                problems.append((one.source, f"'{one.source}' cannot be brought back: {error.strerror or error}."))
                continue
            journal.note(one, state="undone")
            restored.append(one.source)
            kept += [] if result is None else [result]
    return UndoReport(name, tuple(restored), tuple(kept), tuple(problems))


def _restored(one: Replacement, keep_result: bool) -> Path | None:
    """Bring one original back; where its result was kept, or None.

    Raises ``OutputError``, ``OSError``; then everything is as it was.
    """
    assert one.result is not None
    if one.original.fit(one.source):  # an undo that was killed, or nothing had to be replaced
        return _set_aside(one, keep_result) if one.target != one.source and one.result.fit(one.target) else None
    if os.path.lexists(one.target) and not one.result.fit(one.target):
        raise OutputError(f"'{one.source}' is not brought back: '{one.target}' was changed since, and is left alone.")
    if one.target != one.source and os.path.lexists(one.source):
        raise OutputError(f"'{one.source}' is not brought back: another file of that name is there.")
    file, note = _original_of(one)
    result: Path | None = None
    with ExitStack() as names:  # where it fails, the copy goes as well
        if keep_result and one.target == one.source and one.target.exists():
            result = names.enter_context(_name_beside(one.target))
            shutil.copy2(one.target, result)
        _brought(file, one)
    if note is not None:
        with suppress(OSError):
            note.unlink()
    if one.target != one.source and one.target.exists():
        result = _set_aside(one, keep_result)
    return result


def _set_aside(one: Replacement, keep: bool) -> Path | None:
    """The result leaves its name; where it is kept, or None."""
    if not keep:
        one.target.unlink()
        return None
    with _name_beside(one.target) as beside:
        return one.target.rename(beside)


def _name_beside(target: Path) -> AbstractContextManager[Path]:
    """The name of a result that is kept; nobody else gets it meanwhile."""
    return reserved(target.with_name(f"{target.stem}_enhanced{target.suffix}"))


def _original_of(one: Replacement) -> tuple[Path, Path | None]:
    """Where the original lies, and the note of the trash about it."""
    if one.kept is not None:
        if one.original.fit(one.kept):
            return one.kept, None
        raise OutputError(f"The original of '{one.target}' is not in '{one.kept}' any more, or was changed there.")
    if not trash_can_be_read():
        raise OutputError(f"'{one.source}' lies in the system's trash; put it back from there. '{one.target}' stays.")
    found = find_in_trash(one.source, one.original.fit)
    if found is None:
        raise OutputError(f"The original of '{one.target}' is not in the trash any more.")
    return found.file, found.note


def _brought(file: Path, one: Replacement) -> None:
    """Move the original to its place, in one step also from another disk, with its dates and rights."""
    try:
        os.replace(file, one.source)
    except OSError:
        temporary = temporary_for(one.source)
        try:
            shutil.copy2(file, temporary)
            with temporary.open("rb") as copied:
                os.fsync(copied.fileno())
            os.replace(temporary, one.source)
        finally:
            temporary.unlink(missing_ok=True)
        file.unlink()
    with suppress(OSError):
        one.source.chmod(one.original.mode)
        os.utime(one.source, ns=(one.original.mtime_ns, one.original.mtime_ns))


__all__ = ["InPlaceRun", "UndoReport", "undo", "undoable"]
