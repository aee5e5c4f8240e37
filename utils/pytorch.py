"""PyTorch where it is installed: optional, since networks that come along run by OpenVINO alone.

What cannot do without it calls ``require`` before it imports torch, so that a person reads what to install.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from utils.errors import MissingPackageError
from utils.installation import how_to_add, is_ready_made


def is_installed() -> bool:
    """Whether torch could be imported; does not import it."""
    if "torch" in sys.modules:
        return sys.modules["torch"] is not None
    try:
        return find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def how_to_get_it() -> str:
    """The end of a sentence that says that PyTorch is needed."""
    if is_ready_made():
        return "which this ready-made program does not bring. Run it from its source to have PyTorch."
    return f"which is not installed; `{how_to_add('torch')}` brings it."


def require(what: str) -> None:
    """Raise ``MissingPackageError`` where torch is not installed. ``what`` needs it: "'face.pth'"."""
    if not is_installed():
        raise MissingPackageError(f"{what} needs PyTorch, {how_to_get_it()}")


__all__ = ["how_to_get_it", "is_installed", "require"]
