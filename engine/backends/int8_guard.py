"""Whether eight bits serve a network on a device: they have to stay true to it, and to be faster than what it ran in.

How true they stay on pictures was measured when it was calibrated; here they run once beside the plain choice, on a
window like a part of a worn photograph, against the network in fp32.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from engine.backends import get_backend
from engine.backends.asked import NARROWEST
from engine.backends.base import Backend, NetworkSource, Session
from engine.backends.calibrating import worn
from engine.backends.calibration import TRUE_ENOUGH, find_calibration
from engine.backends.openvino_models import CONVERTER_REVISION
from engine.backends.self_test import BackendChooser, Choice, Trial, gentle_window, psnr
from engine.storage.json_store import JsonStore
from utils.errors import BackendError
from utils.gpu import cpu_count, cpu_name
from utils.installation import command

logger = logging.getLogger(__name__)

_SIDE = 192
_RUNS = 4
_RUNTIME = "openvino"
_FASTER = 0.95
"""Share of the plain choice's time that it may take: nearly equal times are noise."""


@dataclass(frozen=True)
class _Race:
    """dB to fp32 (below 0 where it does not run), seconds a megapixel of eight bits and of the plain choice."""

    psnr: float
    seconds: float
    plain_seconds: float


@dataclass(frozen=True)
class Int8Guard:
    """Chooses as its chooser does; where eight bits are asked for or allowed, it judges them once, and remembers.

    Args:
        store: the verdicts, of nothing else.
        tries: whether anything is run here; where not, what was measured on pictures decides alone.
        find: a backend by its name.
    """

    chooser: BackendChooser
    store: JsonStore
    cache_dir: Path | None
    tries: bool = True
    find: Callable[[str], Backend] = get_backend

    def choose(self, source: NetworkSource, device: str, backend: str, precision: str) -> Choice:
        """int8 where it serves, else the plain choice; who asked for int8 gets a note why. Raises as the chooser."""
        if precision not in ("int8", NARROWEST):
            return self.chooser.choose(source, device, backend, precision, self.find)
        found = self._weighed(source, device, backend)
        return found if precision == "int8" else replace(found, note="")

    def _weighed(self, source: NetworkSource, device: str, backend: str) -> Choice:
        """As ``choose``, with a note in any case."""
        plain = self.chooser.choose(source, device, backend, find=self.find)
        runtime = self.find(_RUNTIME)
        if backend not in ("auto", _RUNTIME) or not runtime.serves(device) or "int8" not in runtime.guarded(device):
            return replace(plain, note=f"int8 is not used: nothing runs it on '{device}' here (backend: {backend}).")
        calibration = find_calibration(source.key, self.cache_dir)
        if calibration is None:
            why = f"int8 is not used: '{source.name}' was not calibrated for it ({command()} models calibrate)."
            return replace(plain, note=why)
        if calibration.worst < TRUE_ENOUGH:
            return replace(plain, note=_untrue(source.name, calibration.worst))
        if not self.tries:
            return Choice(_RUNTIME, "int8")
        machine = f"{cpu_name()} | {cpu_count()} cores | r{CONVERTER_REVISION}"
        key = f"{self.chooser.key(source, device)} | {machine} | {source.key[:16]} {calibration.digest()}"
        key += f" | {plain.backend} {plain.precision}"
        race = self._remembered(key)
        if race is None:
            race = self._race(source, device, plain)
            if race is None:
                return replace(plain, note=f"int8 is not used: memory ran short while '{source.name}' was tried in it.")
            self.store.put(key, asdict(race))
        if race.psnr < 0:
            return replace(plain, note=f"int8 is not used: '{source.name}' does not run in it here.")
        if race.psnr < TRUE_ENOUGH:
            return replace(plain, note=_untrue(source.name, race.psnr))
        if race.seconds >= _FASTER * race.plain_seconds:
            return replace(plain, note=f"int8 is not used: '{source.name}' is not faster in it here.")
        trial = Trial(_RUNTIME, "int8", race.seconds, race.psnr)
        return Choice(_RUNTIME, "int8", (trial, *plain.trials))

    def _remembered(self, key: str) -> _Race | None:
        record = self.store.get(key)
        try:
            return _Race(**record)  # type: ignore[arg-type]
        except TypeError:
            return None

    def _race(self, source: NetworkSource, device: str, plain: Choice) -> _Race | None:
        """Eight bits beside the plain choice; None where memory ran short, which says nothing of another day."""
        window = worn_window(source.info.in_channels)

        def opened(backend: str, precision: str) -> Session:
            return self.find(backend).open(source, device, precision, self.cache_dir)

        try:
            with closing(opened(_RUNTIME, "fp32")) as session:
                reference = session.infer(window)
            with (
                closing(opened(_RUNTIME, "int8")) as narrow,
                closing(opened(plain.backend, plain.precision)) as wide,
            ):
                quality = psnr(narrow.infer(window), reference)
                seconds, plain_seconds = in_turn((narrow, wide), window)
        except MemoryError:
            return None
        except (BackendError, RuntimeError) as error:
            logger.warning("int8 does not run '%s': %s", source.name, error)
            return _Race(-1.0, 0.0, 0.0)
        return _Race(round(quality, 2), round(seconds, 3), round(plain_seconds, 3))


def worn_window(channels: int, side: int = _SIDE) -> np.ndarray:
    """A fixed picture like a worn photograph's part: ``(1, side, side, channels) float32``."""
    plain = gentle_window(3, side)[0]
    y, x = np.mgrid[0:side, 0:side]
    plain[(x // 24 + y // 40) % 5 == 0] *= 0.6  # edges
    plain[(np.hypot(x - side / 3, y - side / 2) % 9 < 2)] += 0.2  # fine lines
    rgb = worn((np.clip(plain, 0, 1) * 255).astype(np.uint8)).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(np.stack([rgb[..., number % 3] for number in range(channels)], -1)[None])


def in_turn(sessions: tuple[Session, Session], window: np.ndarray) -> list[float]:
    """The least seconds a megapixel of each, run in turn: both see the machine alike."""
    least = [float("inf")] * len(sessions)
    for run in range(_RUNS):
        for number, session in enumerate(sessions):
            begun = time.perf_counter()
            session.infer(window)
            if run:  # the first also allocates
                least[number] = min(least[number], time.perf_counter() - begun)
    return [seconds / window[0, ..., 0].size * 1e6 for seconds in least]


def _untrue(name: str, found: float) -> str:
    return f"int8 is not used: '{name}' stays within {found:.1f} dB of fp32 in it, and {TRUE_ENOUGH:.0f} are asked for."


__all__ = ["Int8Guard", "in_turn", "worn_window"]
