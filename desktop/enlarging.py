"""What the file managers' entries do: each picture enlarged beside itself, and said so at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.words import system_language, text
from engine.storage.output_names import default_output_path, reserved
from engine.types import EnhanceFile, EnhanceSettings, JobControl
from ui.strings import words_in
from utils.errors import EngineError, JobCancelled
from utils.names import as_text

_NAMED = 3


@dataclass(frozen=True)
class Outcome:
    """What became of the pictures. ``failed``: picture -> why not."""

    made: tuple[Path, ...]
    failed: tuple[tuple[Path, EngineError], ...]


def enlarge(
    paths: Sequence[Path],
    settings: EnhanceSettings,
    enhance: EnhanceFile,
    control: JobControl,
    begun: Callable[[Path], None] = lambda path: None,
) -> Outcome:
    """Enlarge pictures, each beside itself under a name that is free. One that fails stops no other.

    Args:
        enhance: does one, ``(input, output, settings, *, control, overwrite)``.
        begun: told each picture whose turn it is.

    Raises:
        JobCancelled: what was done stays.
    """
    made: list[Path] = []
    failed: list[tuple[Path, EngineError]] = []
    for path in paths:
        begun(path)
        try:
            with reserved(default_output_path(path, path.parent, settings)) as target:
                enhance(path, target, settings, control=control, overwrite=False)
        except JobCancelled:
            raise
        except EngineError as error:
            failed.append((path, error))
            continue
        made.append(target)
    return Outcome(tuple(made), tuple(failed))


def summary(outcome: Outcome) -> tuple[str, str]:
    """Title and text of the notification."""
    lines = []
    if len(outcome.made) == 1:
        lines.append(text("enlarged_one", name=as_text(outcome.made[0].name)))
    elif outcome.made:
        lines.append(text("enlarged_many", count=len(outcome.made)))
    for path, why in outcome.failed[:_NAMED]:
        reason = words_in(system_language()).said(why)
        lines.append(text("enlarged_not", name=as_text(path.name), reason=reason))
    if len(outcome.failed) > _NAMED:
        lines.append(text("enlarged_not_more", count=len(outcome.failed) - _NAMED))
    return text("notice_failed" if outcome.failed else "notice_done"), "\n".join(lines)


__all__ = ["Outcome", "enlarge", "summary"]
