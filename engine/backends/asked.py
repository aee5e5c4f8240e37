"""From what was asked for to what a network is loaded in, as far as it does not depend on how networks run here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.backends import get_backend
from engine.backends.calibration import has_calibration

NARROWEST = "narrowest"
"""As "auto", and int8 where a network was calibrated for it, stays true, and is faster: for who is in a hurry."""
UNDECIDED = ("auto", NARROWEST)


def settled_precision(asked: str, default: str, key: Callable[[], str], cache_dir: Path | None) -> str:
    """The number type, or how to choose one: ``default`` counts where nothing was asked for.

    Args:
        key: SHA-256 of the weights; a network that was not calibrated is the same under "auto" and ``NARROWEST``.
    """
    if asked not in UNDECIDED or default != "auto":
        return default if asked in UNDECIDED else asked
    return asked if asked == "auto" or has_calibration(key(), cache_dir) else "auto"


def fitting_device(device: str, backend: str, precision: str, key: Callable[[], str], cache_dir: Path | None) -> str:
    """The automatic device, or where a named backend or number type does not run on it one where that does.

    A network that was not calibrated keeps its card where int8 is asked for. ``key``: as for ``settled_precision``.
    """
    if backend != "auto":
        runtime = get_backend(backend)
        return device if runtime.serves(device) else next(iter(runtime.devices()), device)
    if precision in UNDECIDED or not device.startswith("vulkan"):
        return device
    return device if precision == "int8" and not has_calibration(key(), cache_dir) else "cpu"


__all__ = ["NARROWEST", "UNDECIDED", "fitting_device", "settled_precision"]
