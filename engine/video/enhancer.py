"""Frames through the network: one loaded model, several frames in flight, none lost when the network fails on it."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np

from engine.backends.base import PrecisionError
from engine.batch import BatchControl
from engine.imaging.context import JobContext
from engine.imaging.picture_enhancer import how_to_load
from engine.imaging.pipeline import PicturePipeline
from engine.imaging.upscaler import Upscaler, upscaler_for
from engine.model_manager import LoadedModel
from engine.pixels.resample import from_full_scale, resize_rows
from engine.pixels.tiling import TileLimit, TileOutOfMemory
from engine.types import RESAMPLERS
from engine.video.decide import VideoTask
from utils.errors import BackendError, EngineError, InvalidSettingsError, OutOfMemoryError
from utils.gpu import cpu_count
from utils.picture import Picture, crop

logger = logging.getLogger(__name__)


class FrameEnhancer:
    """Enhances frames of one size; ``enhance`` may be called from several threads. A context manager.

    Args:
        control: cancels, and lets the earliest frame through the network first.
    """

    def __init__(self, task: VideoTask, context: JobContext, control: BatchControl) -> None:
        self._name, self._size, self._settings = task.model, task.size, task.settings
        self._context, self._manager, self._control = context, context.manager, control
        self._bit_depth = task.bit_depth
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._loaded: LoadedModel | None = None
        self._how = how_to_load(task.settings, a_film=True)
        self._tile: int | None = None
        self._limit = TileLimit(64)
        self._worked = False
        self.load_seconds = 0.0
        self.fallbacks = 0
        self.warnings: list[str] = []

    def __enter__(self) -> Self:
        if self._name not in RESAMPLERS:
            self._load()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        side = self._limit.side
        if self._loaded is not None and side is not None:
            self._manager.tile_memory.put(self._loaded.tile_key, side)
        self._stack.close()

    @property
    def model(self) -> LoadedModel | None:
        """The network, or None for a resampler."""
        return self._loaded

    @property
    def workers(self) -> int:
        """Frames to work on at a time: more than the network takes, so that it never waits for one.

        Beside a GPU that is done with a frame in milliseconds it takes several to cut, match and blend for it.
        """
        if self._loaded is None:
            return 2
        session = self._loaded.session
        spare = 1 if session.device == "cpu" else max(2, min(6, cpu_count() // 2))
        return session.parallelism + spare

    @property
    def window(self) -> int:
        """Side of the largest window that goes through the network; 0 for a resampler."""
        return self._tile or 0

    def enhance(self, number: int, pixels: np.ndarray) -> np.ndarray:
        """The enhanced ``(H, W, 3 or 4) uint8 | uint16`` frame. ``number`` is its place: earlier ones go first.

        A frame that the network fails on is enlarged by Lanczos interpolation instead, and counted.

        Raises:
            JobCancelled, OutOfMemoryError, other kinds of ``EngineError``; ``BackendError`` when the very first fails.
        """
        while True:
            model = self._loaded
            try:
                result = self._through(model, number, pixels)
                self._worked = True
                return result
            except PrecisionError as error:
                self._widen(model, error)
            except (TileOutOfMemory, MemoryError) as error:
                raise OutOfMemoryError(
                    f"Not enough memory for a frame of {pixels.shape[1]}x{pixels.shape[0]} pixels even with the "
                    "smallest tile. Close other programs, choose a smaller scale, or use smaller tiles."
                ) from error
            except EngineError:
                raise
            except Exception as error:
                if not self._worked:
                    raise BackendError(f"'{self._name}' cannot enhance this video: {error}") from error
                logger.exception("Frame %d failed; it is enlarged plainly", number)
                return self._plain(pixels)

    def _through(self, model: LoadedModel | None, number: int, pixels: np.ndarray) -> np.ndarray:
        control = self._control.child(None, number)
        upscaler = self._upscaler(model, control) if model is not None else None
        pipeline = PicturePipeline(
            crop(_picture(pixels), self._size.crop),
            self._size,
            self._settings,
            upscaler=upscaler,
            resampler=self._name,
            bit_depth=self._bit_depth,
            control=control,
            repeat_borders=False,
        )
        pipeline.prepare()
        width, height = self._size.canvas
        result = np.empty((height, width, pixels.shape[2]), np.uint8 if self._bit_depth == 8 else np.uint16)
        row = 0
        for band in pipeline.bands():
            result[row : row + band.shape[0]] = band
            row += band.shape[0]
        return result

    def _upscaler(self, model: LoadedModel, control: BatchControl) -> Upscaler:
        """A fresh one for every frame, since it holds the frame's rank; what was learnt about memory is shared."""
        made = Upscaler(model.session, model.info, tile=self._tile, control=control)
        made.limit = self._limit
        return made

    def _load(self) -> None:
        started = time.perf_counter()
        model = self._stack.enter_context(self._manager.borrow(self._name, **self._how))
        if model.note and model.note not in self.warnings:
            self.warnings.append(model.note)
        first = upscaler_for(model, self._settings, self._context, self._control)
        self._tile, self._loaded = first.tile, model
        self.load_seconds += time.perf_counter() - started

    def _widen(self, failed: LoadedModel | None, error: PrecisionError) -> None:
        """Change to fp32 for this frame and all that follow."""
        with self._lock:
            if self._loaded is not failed:
                return  # another frame has seen to it
            if self._how["precision"] == "fp32":
                raise InvalidSettingsError(
                    f"'{self._name}' gives no valid pixels even in fp32: its checkpoint is damaged."
                ) from error
            self._how["precision"] = "fp32"
            self._load()
            self.warnings.append(f"{error}; the video goes on in fp32.")

    def _plain(self, pixels: np.ndarray) -> np.ndarray:
        with self._lock:
            self.fallbacks += 1
        picture = crop(_picture(pixels), self._size.crop)
        (width, height), (left, top) = self._size.canvas, self._size.offset
        inner = self._size.content
        enlarged = from_full_scale(resize_rows(picture.interleaved(), inner, 0, inner[1]), self._bit_depth)
        if (width, height) == inner:
            return enlarged
        result = np.zeros((height, width, pixels.shape[2]), enlarged.dtype)
        result[top : top + inner[1], left : left + inner[0]] = enlarged
        return result


def _picture(pixels: np.ndarray) -> Picture:
    """A frame, ``(H, W, 3)`` or with transparency ``(H, W, 4)``."""
    if pixels.shape[2] == 3:
        return Picture(pixels)
    return Picture(np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3]))


__all__ = ["FrameEnhancer"]
