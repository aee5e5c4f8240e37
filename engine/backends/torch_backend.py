"""PyTorch: CUDA and ROCm, Apple MPS, Intel XPU, and any CPU."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backends.base import Backend, NetworkSource, Session
from engine.backends.exact_input import input_scale, with_exact_input
from engine.backends.rounding import round_network
from engine.backends.torch_pools import TorchStages
from engine.pixels.pooling import Means, PooledStages
from engine.pixels.tiling import TileOutOfMemory
from utils import pytorch
from utils.errors import BackendError
from utils.gpu import cpu_features, is_out_of_memory

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.models.info import CheckpointInfo


class TorchSession(Session):
    """A network on a device of PyTorch."""

    backend = "torch"

    def __init__(self, network: nn.Module, device: str, precision: str, info: CheckpointInfo) -> None:
        import torch

        self._torch = torch
        self.device, self.precision = device, precision
        self._scale, self._input_scale = info.scale, input_scale(info)
        self._dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
        # Face networks hold five-dimensional weights, which that layout is not made for.
        plain = any(tensor.dim() == 5 for tensor in network.state_dict().values())
        self._layout = torch.contiguous_format if plain else torch.channels_last
        exact = with_exact_input(network, info)
        if precision != "fp32":
            round_network(exact, info, precision)
        self.network: Any = exact.to(device=device, dtype=self._dtype)
        self.network = self.network if plain else self.network.to(memory_format=self._layout)
        self._is_cuda = device.startswith("cuda")
        # Large windows fill a GPU; on a CPU small ones stay in the cache.
        self.preferred_tile = 512 if device != "cpu" else 192
        self._lock = threading.Lock()
        self._info = info
        self._fixed: tuple[Tensor, ...] = ()

    def infer(self, batch: np.ndarray) -> np.ndarray:
        output: np.ndarray = self.run(
            batch, lambda pixels: self.network(pixels, *self._fixed).permute(0, 2, 3, 1).float()
        )
        return output

    def run(self, batch: np.ndarray, action: Callable[[Tensor], Tensor]) -> np.ndarray:
        """What ``action`` makes of a batch ``(N, H, W, C)`` as a tensor ``(N, C, H, W)`` on the device, as an array.

        Raises ``TileOutOfMemory``.
        """
        torch = self._torch
        try:
            with self._lock, torch.inference_mode():
                tensor = torch.from_numpy(np.ascontiguousarray(batch))
                if self._is_cuda:
                    tensor = tensor.pin_memory().to(self.device, non_blocking=True)
                else:
                    tensor = tensor.to(self.device)
                # (N, H, W, C) seen as (N, C, H, W) is channels_last already: no copy.
                tensor = (tensor * self._input_scale).permute(0, 3, 1, 2).to(self._dtype)
                result: np.ndarray = action(tensor.contiguous(memory_format=self._layout)).cpu().numpy()
                return result
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                self._empty_cache()
                raise TileOutOfMemory(str(error)) from None
            raise

    def stages(self) -> PooledStages | None:
        return TorchStages(self, self._info) if self._info.global_pools and not self._fixed else None

    def with_fixed(self, known: Means) -> TorchSession:
        """The same session, its network's means over the picture replaced by known ones."""
        made = copy.copy(self)
        made._fixed = self.on_device(known)
        return made

    def on_device(self, known: Means) -> tuple[Tensor, ...]:
        """Arrays as tensors of this session's number type."""
        return tuple(self._torch.from_numpy(values).to(self.device, self._dtype) for values in known)

    def bytes_per_input_pixel(self) -> float:
        # The widest maps are two or three 64-channel ones at output size.
        return 64 * 3 * self._scale**2 * (4 if self.precision == "fp32" else 2)

    def free_memory(self) -> int | None:
        if self._is_cuda:
            free, _ = self._torch.cuda.mem_get_info(self.device)
            cached = self._torch.cuda.memory_reserved(self.device) - self._torch.cuda.memory_allocated(self.device)
            return int(free + cached)
        return None

    def _empty_cache(self) -> None:
        kind = self.device.partition(":")[0]
        module = getattr(self._torch, kind, None)
        if kind != "cpu" and module is not None and hasattr(module, "empty_cache"):
            module.empty_cache()

    def trim(self) -> None:
        self._empty_cache()

    def close(self) -> None:
        self.network = None
        self._empty_cache()


class TorchBackend(Backend):
    """PyTorch: CUDA, ROCm, MPS, XPU and CPU."""

    name = "torch"

    def missing(self) -> str | None:
        return None if pytorch.is_installed() else f"The backend 'torch' is PyTorch, {pytorch.how_to_get_it()}"

    def devices(self) -> list[str]:
        try:
            import torch
        except ImportError:
            return []
        found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
        xpu = getattr(torch, "xpu", None)
        if xpu is not None and xpu.is_available():
            found += [f"xpu:{index}" for index in range(xpu.device_count())]
        if torch.backends.mps.is_available():
            found.append("mps")
        return [*found, "cpu"]

    def serves(self, device: str) -> bool:
        return pytorch.is_installed() if device == "cpu" else device in self.devices()

    def precisions(self, device: str) -> list[str]:
        if device == "cpu":
            return ["bf16", "fp32"] if {"amx_bf16", "avx512_bf16"} & cpu_features() else ["fp32"]
        if device.startswith("cuda"):
            import torch

            # bf16 keeps fp32's range, so it cannot overflow to black; fp16 is as fast on cards without bf16 units.
            major, _ = torch.cuda.get_device_capability(device)
            return ["bf16", "fp16", "fp32"] if major >= 8 else ["fp16", "fp32"]
        return ["fp16", "fp32"]

    def open(self, source: NetworkSource, device: str, precision: str, cache_dir: Path | None) -> Session:
        if (why := self.missing()) is not None:
            raise BackendError(why)
        if device not in self.devices():
            raise BackendError(f"torch cannot use the device '{device}' here. Available: {', '.join(self.devices())}.")
        try:
            return TorchSession(source.load(), device, precision, source.info)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise TileOutOfMemory(str(error)) from None
            raise BackendError(f"torch could not put '{source.name}' on {device}: {error}") from error
