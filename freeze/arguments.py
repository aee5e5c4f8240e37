"""What the ready-made programs hand to the command line. It is part of them: nothing of their building is imported."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.words import NAME


def arguments(program: str, given: Sequence[str]) -> list[str]:
    """The command line's arguments.

    Args:
        program: the executable's name without its ending; that of the window takes files and folders alone.
        given: its own arguments.
    """
    if program != NAME:
        return list(given)
    return ["--window", "--", *given] if given else ["--window"]


__all__ = ["arguments"]
