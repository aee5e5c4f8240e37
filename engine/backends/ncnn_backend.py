"""ncnn on Vulkan: graphics cards that PyTorch does not serve (AMD and Intel on Windows, older NVIDIA ones)."""

from __future__ import annotations

import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.base import Backend, NetworkSource, Session
from engine.models.ncnn.writer import INPUT, OUTPUT, write_network
from engine.pixels.tiling import TileOutOfMemory
from utils.errors import BackendError, UnsupportedModelError
from utils.installation import how_to_add
from utils.vulkan import vulkan_devices

if TYPE_CHECKING:
    import ncnn

_OUT_OF_MEMORY = -100
"""What ncnn returns from every operation whose memory could not be had."""
_PREFIX = "vulkan:"


class NcnnSession(Session):
    """A network on one Vulkan device; one window at a time."""

    backend = "ncnn"
    preferred_tile = 256

    def __init__(self, net: ncnn.Net, device: str, precision: str, scale: int) -> None:
        self._net, self.device, self.precision = net, device, precision
        self._scale = scale
        self._lock = threading.Lock()

    def infer(self, batch: np.ndarray) -> np.ndarray:
        with self._lock:
            return np.stack([self._run(one) for one in batch])

    def _run(self, window: np.ndarray) -> np.ndarray:
        import ncnn

        extractor = self._net.create_extractor()
        planes = np.ascontiguousarray(window.transpose(2, 0, 1), np.float32)
        extractor.input(INPUT, ncnn.Mat(planes))
        try:
            code, output = extractor.extract(OUTPUT)
        except MemoryError as error:
            raise TileOutOfMemory(str(error)) from None
        if code == _OUT_OF_MEMORY:
            raise TileOutOfMemory(f"ncnn could not get the memory for {window.shape[1]}x{window.shape[0]} pixels")
        if code != 0:
            raise RuntimeError(f"ncnn ended with code {code} on {self.device}")
        return np.array(output, np.float32).transpose(1, 2, 0)

    def bytes_per_input_pixel(self) -> float:
        return 64 * 3 * self._scale**2 * (4 if self.precision == "fp32" else 2)

    def close(self) -> None:
        with self._lock:
            self._net.clear()


class NcnnBackend(Backend):
    """ncnn on the devices that Vulkan knows, ``vulkan:0`` and so on."""

    name = "ncnn"

    def missing(self) -> str | None:
        if find_spec("ncnn") is None:
            return f"ncnn is not installed; `{how_to_add('vulkan')}` brings it."
        if not vulkan_devices():
            return "No Vulkan device was found: a driver for the graphics card is missing, or it does not work."
        return None

    def devices(self) -> list[str]:
        return [device.id for device in vulkan_devices()]

    def serves(self, device: str) -> bool:
        return device.startswith(_PREFIX) and device in self.devices()

    def precisions(self, device: str) -> list[str]:
        return ["fp16", "fp32"]

    def open(self, source: NetworkSource, device: str, precision: str, cache_dir: Path | None) -> Session:
        if not self.serves(device):
            known = ", ".join(self.devices()) or self.missing()
            raise BackendError(f"ncnn cannot use the device '{device}' here. Available: {known}")
        arrays = source.arrays()
        if arrays is None:
            raise BackendError(f"'{source.name}' is a graph of its own kind, which runs on the processor alone.")
        try:
            files = write_network(source.info, arrays, precision)
        except UnsupportedModelError as error:
            raise BackendError(str(error)) from error
        net = _net(int(device.removeprefix(_PREFIX)), precision)
        with tempfile.TemporaryDirectory(prefix="realesrgan-ncnn-") as folder:
            graph, weights = Path(folder) / "network.param", Path(folder) / "network.bin"
            graph.write_text(files.param, "utf-8")
            weights.write_bytes(files.weights)
            if net.load_param(str(graph)) != 0 or net.load_model(str(weights)) != 0:
                raise BackendError(f"ncnn cannot load '{source.name}' on {device}.")
        return NcnnSession(net, device, precision, source.info.scale)


def _net(index: int, precision: str) -> ncnn.Net:
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = True
    narrow = precision == "fp16"
    # What the device has no units for ncnn leaves out by itself. Sums stay in fp32: half of them overflow in RRDBNet.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = narrow
    net.opt.use_fp16_arithmetic = False
    net.set_vulkan_device(index)
    return net
