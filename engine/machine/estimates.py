"""How long a job will take and how much memory it will need on this machine, before it starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.pixels.tiling import MemoryBudget
from engine.types import MIN_TILE
from utils.gpu import GPUDetector, available_host_memory, cpu_count, cpu_features

if TYPE_CHECKING:
    from engine.model_manager import ModelManager
    from engine.models.info import CheckpointInfo
    from engine.models.store import ModelStatus

_ASSUMED_CORE_RATES = (("amx_bf16", 900e9), ("avx512_bf16", 400e9), ("avx512f", 100e9), ("avx2", 50e9))
_ASSUMED_PLAIN_RATE = 20e9
_ASSUMED_GPU_RATE = 8e12
_RUNTIME_BYTES = 900e6
_HELD = {"png": 3.0, "tiff": 3.0, "jxl": 24.0}
"""Bytes for a pixel of the output: of a band of rows and what stands behind it; JPEG XL may need floats of it all."""
# Two or three maps of 64 channels at output size, in single precision: the widest that the known networks hold.
_BYTES_PER_INPUT_PIXEL = 64 * 3 * 16 * 4


@dataclass(frozen=True)
class Estimate:
    """Expected seconds and peak memory in MB. ``measured`` is False where the speed is a guess from the size.

    ``network`` and ``encoding`` are parts of the seconds; in a film they pass beside each other.
    """

    seconds: float
    memory_mb: float
    measured: bool
    network: float = 0.0
    encoding: float = 0.0


def estimate(
    manager: ModelManager,
    model: str,
    width: int,
    height: int,
    scale: float,
    *,
    device: str | None = None,
    output_format: str = "png",
) -> Estimate:
    """For a ``width`` x ``height`` input enlarged ``scale`` times by ``model`` (a network or a resampler).

    The speed is the backend self-test's, where a network of the same shape has run on the device.
    """
    target = device or manager.resolve_device()
    output_megapixels = width * height * scale * scale / 1e6
    status = manager.status_of(model)
    # Encoding takes about as long for every model.
    encoding, network = 0.12 * output_megapixels, 0.0
    measured = True
    passes = 1
    if status is not None and status.scale > 1:
        per_megapixel, measured = _seconds_per_megapixel(manager, status, target)
        pixels, reached = width * height / 1e6, 1.0
        network += per_megapixel * pixels
        while reached * status.scale < scale:
            reached *= status.scale
            pixels *= status.scale**2
            network += per_megapixel * pixels
            passes += 1
    # Streamed formats hold one band of rows; the others hold the whole output for their encoder.
    held = _HELD.get(output_format, 7.0)
    held = max(held, 7.0) if passes > 1 else held
    memory = _RUNTIME_BYTES + width * height * 3 * 2 + held * output_megapixels * 1e6
    return Estimate(round(0.1 + encoding + network, 2), round(memory / 1e6), measured, network, encoding)


def _seconds_per_megapixel(manager: ModelManager, status: ModelStatus, device: str) -> tuple[float, bool]:
    """Of input; and whether that was measured on this device: by a picture, else by the self-test's window."""
    info = manager.info(status.name) if status.installed and status.problem is None else None
    if info is not None:
        measured = manager.speeds.get(info.architecture, info.parameters, info.scale, device)
        measured = measured or _self_tested(manager, info, device)
        if measured is not None:
            return measured, True
    spec = manager.specs.get(status.name)
    half = spec is not None and (spec.embedded or not spec.urls)
    parameters = info.parameters if info is not None else int((status.size or 67e6) / (2 if half else 4))
    # Behind a pixel-unshuffle a network runs on that many fewer pixels.
    pixels = 1e6 / info.multiple_of**2 if info is not None else 1e6
    return 2.0 * parameters * pixels / _assumed_rate(device), False


def _self_tested(manager: ModelManager, info: CheckpointInfo, device: str) -> float | None:
    for key, record in manager.self_tests.all().items():
        parts = key.split(" | ")
        if parts[1:4] == [str(info.parameters), f"x{info.scale}", device]:
            speeds = [trial["seconds_per_megapixel"] for trial in record["trials"] if not trial["problem"]]
            return min((speed for speed in speeds if speed), default=None)
    return None


def _assumed_rate(device: str) -> float:
    """Multiplications and additions a second, before anything was measured: what two machines reached, a core."""
    if device != "cpu":
        return _ASSUMED_GPU_RATE
    features = cpu_features()
    known = next((rate for feature, rate in _ASSUMED_CORE_RATES if feature in features), _ASSUMED_PLAIN_RATE)
    return known * cpu_count()


def optimal_tile(width: int, height: int, device: str, reserve_mb: int = 512) -> int:
    """Tile side in input pixels for a x4 network on a device with its free memory; 0 when the picture fits whole.

    The engine's own choice, made once the network is loaded, can be finer: it knows the network's memory.
    """
    if device.startswith("cuda"):
        free = GPUDetector().get_gpu_memory(device).get("free_mb", 2048) * 2**20
    else:
        free = available_host_memory()
    area = MemoryBudget(free, reserve_mb * 2**20).usable / _BYTES_PER_INPUT_PIXEL
    preferred = 256 if device == "cpu" and "amx_bf16" in cpu_features() else 512
    side = max(MIN_TILE, int(min(preferred, math.sqrt(area))))
    return 0 if max(width, height) <= side else side
