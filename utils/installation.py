"""How this program lies on the machine: as a checkout, as a package among others, or ready-made without Python."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout's folder, or the package that pip installed."""


def is_ready_made() -> bool:
    """Whether it brings a Python of its own, and takes no packages."""
    return bool(getattr(sys, "frozen", False))


def is_installed() -> bool:
    """Whether this is a package among others, or ready-made, and no checkout."""
    return is_ready_made() or any(ROOT.parent.glob("realesrgan_ultimate-*.dist-info"))


def command() -> str:
    """What a person types before a subcommand such as ``models download NAME``."""
    if is_ready_made():
        return Path(sys.executable).name
    return "rsu" if is_installed() else "python main.py"


def how_to_add(extra: str) -> str:
    """The command that brings optional packages: "torch", "ray", "vulkan" or "window"."""
    return f'pip install ".[{extra}]"' if is_installed() else f"pip install -r requirements-{extra}.txt"


__all__ = ["ROOT", "command", "how_to_add", "is_installed", "is_ready_made"]
