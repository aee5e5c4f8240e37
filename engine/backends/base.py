"""What a runtime must offer to run tiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.models.info import CheckpointInfo
    from engine.pixels.pooling import PooledStages


class PrecisionError(ArithmeticError):
    """A narrow number type gave NaN or infinity; the picture has to be run in a wider one."""


@dataclass(frozen=True)
class NetworkSource:
    """A network as a backend receives it.

    Attributes:
        key: identifies the weights (SHA-256 of the checkpoint, and of what was mixed into it); caches are keyed by it.
        info: architecture facts, known without opening the checkpoint.
        load: returns the ``torch.nn.Module`` in ``eval`` mode, input ``(N, C, H, W)`` in 0..1. Slow; called only when
            no converted model is cached.
        state: returns the checkpoint's tensors under the names they have in the file.
        arrays: the same as float32 numpy arrays, without torch where the file permits; None where there are no names.
    """

    name: str
    key: str
    info: CheckpointInfo
    load: Callable[[], nn.Module] = field(repr=False)
    state: Callable[[], dict[str, Tensor]] = field(repr=False)
    arrays: Callable[[], Mapping[str, np.ndarray] | None] = field(repr=False, default=lambda: None)


class Session(ABC):
    """One network, ready on one device. ``infer`` may be called from ``parallelism`` threads at a time."""

    backend: str
    device: str
    precision: str
    parallelism: int = 1
    preferred_tile: int = 256
    """Window side (input pixels, halo included) that measured fastest on this kind of device."""

    @abstractmethod
    def infer(self, batch: np.ndarray) -> np.ndarray:
        """Run ``(N, H, W, C) float32`` in 0..1; returns ``(N, sH, sW, C_out) float32``, unclipped.

        Raises ``engine.pixels.tiling.TileOutOfMemory`` when the batch does not fit.
        """

    def stages(self) -> PooledStages | None:
        """The network to be run up to each of its means over the whole picture; None where it takes none.

        Tiles of a picture that is run in a session with some must share them: see ``engine.pixels.pooling``.
        """
        return None

    def prepare(self, height: int, width: int) -> None:  # noqa: B027  (optional)
        """Get ready for windows of that size (compile, allocate) before the first one is timed."""

    def bytes_per_input_pixel(self) -> float:
        """Working memory a window needs, in bytes an input pixel."""
        return 16_000.0

    def free_memory(self) -> int | None:
        """Bytes free on the device, or None for host memory."""
        return None

    def trim(self) -> None:  # noqa: B027  (optional)
        """Give memory back that is only kept for the next run."""

    @abstractmethod
    def close(self) -> None:
        """Give all memory back. The session cannot be used afterwards."""


class Backend(ABC):
    """A runtime."""

    name: str

    def missing(self) -> str | None:
        """What keeps this runtime from being used at all, with what to do about it; None when nothing does."""
        return None

    @abstractmethod
    def devices(self) -> list[str]:
        """Devices it can use here, best first; empty when the runtime is not installed. Names as in torch."""

    def serves(self, device: str) -> bool:
        """Whether the device can be used; unlike ``devices`` it need not import a heavy runtime to say so."""
        return device in self.devices()

    @abstractmethod
    def precisions(self, device: str) -> list[str]:
        """Number types that the device runs natively, fastest first, always ending in ``fp32``."""

    def guarded(self, device: str) -> list[str]:
        """Number types beside those, that a network is run in only where they were seen to stay true to it there."""
        return []

    @abstractmethod
    def open(self, source: NetworkSource, device: str, precision: str, cache_dir: Path | None) -> Session:
        """Load the network. ``precision`` is one of ``precisions``. Raises ``BackendError``."""
