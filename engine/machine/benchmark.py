"""How fast this machine is: a few seconds of the real network, and of writing files."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass

import numpy as np

from engine.backends.self_test import test_window
from engine.model_manager import ModelManager
from engine.types import RESAMPLERS, JobControl, Progress
from utils.engine_config import EngineConfig
from utils.json_types import JsonObject

_WINDOW = 128
_ENCODED_SIDE = 1024


@dataclass(frozen=True)
class MachineTest:
    """What was measured.

    Attributes:
        input_megapixels_per_second: pixels of inputs that the network takes in, the network alone.
        encode_megapixels_per_second: pixels of outputs written as PNG, in memory.
        windows: how often the network ran.
        scale: of the model.
        load_seconds: until the model could run; next to nothing when it was loaded already.
        seconds: of the whole test.
    """

    model: str
    backend: str
    device: str
    precision: str
    scale: int
    input_megapixels_per_second: float
    encode_megapixels_per_second: float
    windows: int
    load_seconds: float
    seconds: float

    def seconds_for(self, megapixels: float) -> float:
        """Expected seconds for a picture of that input size: network, then writing what it did not overlap."""
        network = megapixels / self.input_megapixels_per_second
        encoding = megapixels * self.scale**2 / self.encode_megapixels_per_second
        return max(network, encoding)

    def to_json(self) -> JsonObject:
        """The fields as JSON values, and the seconds that a picture of 2 megapixels would take."""
        return {**asdict(self), "seconds_for_2_megapixels": round(self.seconds_for(2), 2)}


def machine_test(
    manager: ModelManager, model: str = "auto", *, seconds: float = 10.0, control: JobControl | None = None
) -> MachineTest:
    """Run ``model`` (auto: what a x4 enlargement would use) over and over for about ``seconds``.

    Loading comes on top, and one run of the network is always finished, so slow machines take longer.

    Raises:
        JobCancelled; what ``ModelManager.load_model`` raises.
    """
    control = control or JobControl()
    started = time.perf_counter()
    name = manager.default_model(4)[0] if model == "auto" else model
    encode = _encode_rate()
    if name in RESAMPLERS:
        action = _resampling(name)
        rate, windows = _rate(action, _WINDOW**2, seconds, control)
        total = time.perf_counter() - started
        return MachineTest(name, "numpy", "cpu", "fp32", 4, rate, encode, windows, 0.0, round(total, 2))
    before = time.perf_counter()
    with manager.borrow(name) as loaded:
        session = loaded.session
        window = test_window(loaded.info.in_channels, max(_WINDOW, loaded.info.minimum_size))
        session.prepare(*window.shape[1:3])
        load = time.perf_counter() - before
        rate, windows = _rate(lambda: session.infer(window), window.shape[1] * window.shape[2], seconds, control)
        return MachineTest(
            name,
            session.backend,
            session.device,
            session.precision,
            loaded.info.scale,
            rate,
            encode,
            windows,
            round(load, 2),
            round(time.perf_counter() - started, 2),
        )


def machine_test_for(config: EngineConfig, model: str = "auto", seconds: float = 10.0) -> MachineTest:
    """The same with a manager of its own; for a child process, see ``engine.models.isolated``."""
    with closing(ModelManager.from_config(config)) as manager:
        return machine_test(manager, model, seconds=seconds)


def _rate(action: Callable[[], object], pixels: int, seconds: float, control: JobControl) -> tuple[float, int]:
    """(megapixels a second, runs); the first run warms up and does not count."""
    control.check()
    begun = time.perf_counter()
    action()
    started, runs = time.perf_counter(), 0
    while not runs or time.perf_counter() - begun < seconds:
        control.check()
        action()
        runs += 1
        share = min(1.0, (time.perf_counter() - begun) / seconds)
        control.report(Progress("Measuring", runs, runs, share, max(0.0, seconds * (1 - share))))
    return runs * pixels / 1e6 / (time.perf_counter() - started), runs


def _encode_rate() -> float:
    """Megapixels of a photograph-like picture that become PNG in a second."""
    from utils.opencv import cv2

    side = _ENCODED_SIDE
    pixels = (np.tile(test_window(3)[0], (side // 64, side // 64, 1)) * 255).astype(np.uint8)
    started = time.perf_counter()
    cv2.imencode(".png", pixels)
    return side * side / 1e6 / (time.perf_counter() - started)


def _resampling(method: str) -> Callable[[], object]:
    from engine.pixels.resample import resize_rows, to_full_scale

    window = to_full_scale((test_window(3, _WINDOW)[0] * 255).astype(np.uint8))
    side = 4 * _WINDOW
    return lambda: resize_rows(window, (side, side), 0, side, method)


__all__ = ["MachineTest", "machine_test", "machine_test_for"]
