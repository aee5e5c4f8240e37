"""OpenVINO: the fastest runtime on CPUs, and Intel GPUs."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from engine.backends.base import Backend, NetworkSource, Session
from engine.backends.exact_input import input_scale
from engine.backends.openvino_models import load_converted, prune_kept
from engine.backends.openvino_pools import OpenVinoStages, Requests
from engine.pixels.pooling import PooledStages
from engine.pixels.tiling import TileOutOfMemory
from utils.errors import BackendError
from utils.gpu import cpu_count, cpu_features

if TYPE_CHECKING:
    from utils.openvino import openvino

_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)

_PATIENCE = 60.0
"""Seconds to wait while other processes compile."""

_KEPT_SHAPES = 3
_LEAST_KEPT = 32 * 32
"""Pixels of the smallest window whose compiled network is kept on disk: the self-test's, run once, is not."""
KEPT_BYTES = 10**9
"""What converted and compiled networks may take on disk together: there is a compiled one, weights included, for every
size of window that was run. The oldest go first; compiling anew takes 0.03 s more than reading for a compact network,
half a second more for RRDBNet-23, converting anew another second."""
_OUT_OF_MEMORY_TEXTS = ("bad_alloc", "out of memory", "failed to allocate", "cl_out_of", "could not create a memory")


def has_bf16() -> bool:
    """Whether the processor multiplies in bf16."""
    return bool({"amx_bf16", "avx512_bf16"} & cpu_features())


def _is_out_of_memory(error: Exception) -> bool:
    return any(text in str(error).lower() for text in _OUT_OF_MEMORY_TEXTS)


def _with_pixel_layout(model: openvino.Model, height: int, width: int, channels: int) -> openvino.Model:
    """The model reshaped to one window, taking and giving ``(N, H, W, C) float32``: no transposing outside.

    Further inputs stay as they are.
    """
    from utils.openvino import openvino

    layout, f32 = openvino.Layout, openvino.Type.f32
    copy = model.clone()
    copy.reshape({copy.input(0): openvino.PartialShape([1, channels, height, width])})
    steps = openvino.preprocess.PrePostProcessor(copy)
    steps.input(0).tensor().set_layout(layout("NHWC")).set_element_type(f32)
    steps.input(0).model().set_layout(layout("NCHW"))
    steps.output().tensor().set_layout(layout("NHWC")).set_element_type(f32)
    steps.output().model().set_layout(layout("NCHW"))
    return steps.build()


class OpenVinoSession(Session):
    """A network compiled by OpenVINO, once for each size of window; several requests in flight."""

    backend = "openvino"

    def __init__(
        self,
        core: openvino.Core,
        model: openvino.Model,
        source: NetworkSource,
        device: str,
        precision: str,
        cache_dir: Path | None,
    ) -> None:
        self._core, self._model, self._info = core, model, source.info
        self.device, self.precision = device, precision
        self._input_scale = np.float32(input_scale(source.info))
        cores = cpu_count()
        # AMX tiles finish so fast that synchronising two threads costs 10%: there each core runs a window of its own.
        # Elsewhere one stream on all cores is as fast, and also serves a picture that is a single window.
        # A face is one large window, and there are few of them.
        alone = source.info.kind == "face" or "amx_bf16" not in cpu_features()
        self.parallelism = cores if cores > 1 and precision in ("bf16", "int8") and not alone else 1
        # Without AMX speed per pixel is flat from 64 to 1024 pixels, while small windows pay more for their halos: a
        # compact network is 7% faster at 768 than at 512 by itself. RRDBNet's maps would take 3 GB there.
        light = source.info.receptive_radius is not None
        self.preferred_tile = 256 if "amx_bf16" in cpu_features() else 768 if light else 512
        self._properties: dict[str, str] = {
            # What is not in eight bits is in the narrowest type of its own.
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "fp16": "f16"}.get(precision, "bf16" if has_bf16() else "f32"),
            "NUM_STREAMS": str(self.parallelism),
        }
        if device == "cpu":
            self._properties["INFERENCE_NUM_THREADS"] = str(cores)
        self._compiled_dir = cache_dir / "openvino" / "compiled" if cache_dir is not None else None
        self._lock = threading.Lock()
        self._requests: dict[tuple[int, int], Requests] = {}
        self._stages: OpenVinoStages | None = None

    def _requests_for(self, height: int, width: int) -> Requests:
        with self._lock:
            shape = (height, width)
            if shape not in self._requests:
                while len(self._requests) >= _KEPT_SHAPES:
                    self._requests.pop(next(iter(self._requests)))
                self._requests[shape] = self._open_requests(self._model, height, width)
            return self._requests[shape]

    def _open_requests(self, model: openvino.Model, height: int, width: int) -> Requests:
        """As many requests as may run at a time of a model compiled for windows of that size."""
        model = _with_pixel_layout(model, height, width, self._info.in_channels)
        compiled = self._compile(model, kept=height * width >= _LEAST_KEPT)
        requests: Requests = queue.SimpleQueue()
        for _ in range(self.parallelism):
            requests.put(compiled.create_infer_request())
        return requests

    def _compile(self, model: openvino.Model, kept: bool) -> openvino.CompiledModel:
        """The model compiled, from disk where it is kept there."""
        from filelock import FileLock

        target = "CPU" if self.device == "cpu" else "GPU"
        if kept and self._compiled_dir is not None:
            properties = self._properties | {"CACHE_DIR": str(self._compiled_dir)}
            try:
                self._compiled_dir.mkdir(parents=True, exist_ok=True)
                # OpenVINO writes over a file that another process may have mapped into its memory, which ends that one.
                with FileLock(self._compiled_dir / ".lock", timeout=_PATIENCE):
                    compiled = self._core.compile_model(model, target, properties)
                    prune_kept(self._compiled_dir.parent.parent, KEPT_BYTES)
                    return compiled
            except (OSError, RuntimeError) as error:  # a full disk, or others compile for a minute
                if _is_out_of_memory(error):
                    raise
                logger.info("Compiling without files on disk: %s", error)
        return self._core.compile_model(model, target, self._properties)

    def prepare(self, height: int, width: int) -> None:
        self.translate(lambda: self._requests_for(height, width))

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return self.translate(lambda: self._infer(batch))

    def stages(self) -> PooledStages | None:
        with self._lock:
            if self._stages is None and self._info.global_pools:
                self._stages = OpenVinoStages(self, self._model, self._info.in_channels, self._open_requests)
            return self._stages

    def _infer(self, batch: np.ndarray) -> np.ndarray:
        requests = self._requests_for(batch.shape[1], batch.shape[2])
        request = requests.get()
        try:
            outputs = []
            for one in batch:
                window = np.ascontiguousarray(one[None], dtype=np.float32)
                if self._input_scale != 1:
                    window = window * self._input_scale
                request.infer(window, share_inputs=True)
                outputs.append(request.get_output_tensor().data.copy())
            return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
        finally:
            requests.put(request)

    @staticmethod
    def translate(action: Callable[[], _Result]) -> _Result:
        """What ``action`` returns; a lack of memory within it is raised as ``TileOutOfMemory``."""
        try:
            return action()
        except MemoryError as error:
            raise TileOutOfMemory(str(error)) from None
        except RuntimeError as error:
            if _is_out_of_memory(error):
                raise TileOutOfMemory(str(error)) from None
            raise

    def bytes_per_input_pixel(self) -> float:
        return 64 * 3 * self._info.scale**2 * (4 if self.precision == "fp32" else 2)

    def close(self) -> None:
        with self._lock:
            self._requests.clear()
            self._model = self._stages = None


class OpenVinoBackend(Backend):
    """OpenVINO on the CPU; other devices are PyTorch's."""

    name = "openvino"

    def devices(self) -> list[str]:
        try:
            from utils.openvino import openvino
        except ImportError:
            return []
        available = openvino.Core().available_devices
        return ["cpu"] if "CPU" in available else []

    def serves(self, device: str) -> bool:
        return device == "cpu" and find_spec("openvino") is not None

    def precisions(self, device: str) -> list[str]:
        return ["bf16", "fp32"] if has_bf16() else ["fp32"]

    def guarded(self, device: str) -> list[str]:
        return ["int8"] if {"amx_int8", "avx512_vnni", "avx_vnni"} & cpu_features() else []

    def open(self, source: NetworkSource, device: str, precision: str, cache_dir: Path | None) -> Session:
        from utils.openvino import openvino

        if device not in self.devices():
            raise BackendError(f"OpenVINO cannot use the device '{device}' here.")
        core = openvino.Core()
        try:
            model = load_converted(core, source, cache_dir, precision)
        except RuntimeError as error:
            raise BackendError(f"OpenVINO cannot convert '{source.name}': {error}") from error
        return OpenVinoSession(core, model, source, device, precision, cache_dir)
