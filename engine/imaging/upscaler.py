"""One pass of a network over a picture: tiles planned, run, and streamed out as bands."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np

from engine.backends.base import PrecisionError, Session
from engine.backends.loaded import LoadedModel
from engine.imaging.context import JobContext
from engine.models.info import CheckpointInfo
from engine.pixels.pooling import SharedPools, Tile
from engine.pixels.tiling import FULL_SCALE, MemoryBudget, TiledInference, TileLimit, TilePlan, cut, plan
from engine.types import MIN_TILE, EnhanceSettings, JobControl
from utils.gpu import available_host_memory

APPROXIMATE_HALO = 32
"""Context for networks whose receptive field is too large to be covered (RRDBNet-23: over 340 px). Measured by
``benchmarks/seams.py`` with RealESRGAN_x4plus in windows of 160: 56 dB to the untiled result, less than bf16 costs, and
11 levels of 255 at worst; 24 pixels give 51 dB and 15 levels, and save 7% of the work in windows of 512."""
APPROXIMATE_BLEND = 8
WHOLE_SIDE = 1024
"""Windows of networks that take means over the whole picture: tiles cost three times as much there, since the network
runs up to each of the means before it runs at all, so windows are as large as memory permits up to this."""
BAND_BYTES = (160 * 2**20, 240 * 2**20, 640 * 2**20)
"""What one row of tiles of a wide picture may hold: always; where memory is plentiful; and there if it would be flatter
than ``GOOD_HEIGHT`` otherwise. Flat tiles cost time, since their halos are the larger part: at 12,000 pixels of width a
megapixel would be 40% dearer with the first."""
GOOD_HEIGHT = 400


class Upscaler:
    """A network session together with its tiling.

    Args:
        session: the network, ready to run.
        info: its architecture facts.
        tile: window side in input pixels, halo included; 0 = the whole picture. None = chosen from memory and backend.
        remembered_tile: the side that worked after an earlier shortage of memory, or None.
        smallest_tile: side below which running out of memory is final.
    """

    def __init__(
        self,
        session: Session,
        info: CheckpointInfo,
        *,
        tile: int | None = None,
        budget: MemoryBudget | None = None,
        remembered_tile: int | None = None,
        control: JobControl | None = None,
        smallest_tile: int = 64,
    ) -> None:
        self.session, self.info = session, info
        self._control = control or JobControl()
        self._fixed_tile = tile
        self._budget = budget
        self._remembered = remembered_tile
        self.limit = TileLimit(smallest_tile)
        self.tile = tile if tile is not None else self._automatic_tile()

    def _automatic_tile(self) -> int:
        side: float = self.session.preferred_tile
        if self.info.global_pools and self._budget is not None:
            side = max(side, WHOLE_SIDE)
        if self._remembered:
            side = min(side, self._remembered)
        if self._budget is not None:
            area = self._budget.usable / self.session.bytes_per_input_pixel() / self.session.parallelism
            side = min(side, math.sqrt(area))
        return max(MIN_TILE, int(side))

    @property
    def context(self) -> int:
        """Input pixels around a place that its result follows from, or is worth following from."""
        exact = self.info.receptive_radius
        return APPROXIMATE_HALO if exact is None else exact

    def plan(self, width: int, height: int, tile: int | None = None) -> TilePlan:
        """The tiles of a picture of that size, ``self.tile`` or ``tile`` pixels wide."""
        tile = self.tile if tile is None else tile
        exact, halo = self.info.receptive_radius, self.context
        # A window must hold two halos and something between them; a forced tiny tile gets a smaller halo instead.
        if tile and tile < 2 * halo + 16:
            halo = max(4, (tile - 16) // 2)
        row_bytes = self.info.scale**2 * 3 * 2
        return plan(
            width,
            height,
            tile=tile,
            halo=halo,
            blend=APPROXIMATE_BLEND if exact is None else 0,
            multiple=math.lcm(8, self.info.multiple_of),
            unit=self.info.multiple_of,
            smallest=self.info.minimum_size,
            max_band_pixels=self._band_pixels(width, row_bytes),
        )

    def _band_pixels(self, width: int, row_bytes: int) -> int:
        """Most input pixels of a row of tiles, its height times the picture's width."""
        always, plenty, most = BAND_BYTES
        if self._budget is None:
            return always // row_bytes
        wanted = min(most, max(plenty, GOOD_HEIGHT * width * row_bytes))
        return int(max(always, min(wanted, self._budget.usable / 8))) // row_bytes

    def prepare(self, tiles: TilePlan) -> None:
        """Compile for the plan's window, so that loading and running are timed apart."""
        self.session.prepare(*tiles.window)

    def bands(
        self, pixels: np.ndarray, tiles: TilePlan, on_tile: Callable[[], None] | None = None
    ) -> Iterator[np.ndarray]:
        """Stream ``(rows, scale*W, C) uint16`` for ``(H, W, C) uint8 | uint16`` pixels, C = 1 or 3.

        Raises ``TileOutOfMemory`` or ``PrecisionError``; both before any wrong pixel was given out.
        """
        inference = TiledInference(
            self._runner(pixels, tiles),
            self.info.scale,
            parallelism=self.session.parallelism,
            limit=self.limit,
            on_tile=on_tile,
        )
        return inference.bands(pixels, tiles)

    def alpha_bands(
        self, alpha: np.ndarray, tiles: TilePlan, on_tile: Callable[[], None] | None = None
    ) -> Iterator[np.ndarray]:
        """Like ``bands`` for an ``(H, W)`` alpha channel; windows of one value do not reach the network."""
        run_window = self._runner(alpha[..., None], tiles)

        def run(window: np.ndarray) -> np.ndarray:
            low, high = int(window.min()), int(window.max())
            if low == high:
                size = (window.shape[0] * self.info.scale, window.shape[1] * self.info.scale, 1)
                return np.full(size, low * (257 if window.dtype == np.uint8 else 1), np.uint16)
            return run_window(window)

        inference = TiledInference(
            run, self.info.scale, parallelism=self.session.parallelism, limit=self.limit, on_tile=on_tile
        )
        return inference.bands(alpha[..., None], tiles)

    def _runner(self, pixels: np.ndarray, tiles: TilePlan) -> Callable[[np.ndarray], np.ndarray]:
        """What runs the picture's windows. They share its means where the network takes some over all of it."""
        stages = self.session.stages()
        if stages is None:
            return self._run_window

        def windows(plan: TilePlan) -> Iterator[Tile]:
            for row in plan.rows:
                for column in plan.columns:
                    self._control.check()
                    yield Tile(self._batch(_as_numbers(cut(pixels, row, column))), row, column)

        def turn() -> AbstractContextManager[None]:
            return self._control.turn(self.session.parallelism)

        shared = SharedPools(stages, self._ever_smaller(tiles), windows, turn)

        def run(window: np.ndarray) -> np.ndarray:
            whole = tiles.count == 1 and window.shape[:2] == tiles.window
            upscaler = self if whole else self._with(shared.session())
            return upscaler._run_window(window)

        return run

    def _with(self, session: Session) -> Upscaler:
        """The same upscaler with another session."""
        other = copy.copy(self)
        other.session = session
        return other

    def _ever_smaller(self, tiles: TilePlan) -> Iterator[TilePlan]:
        """The plan, and after it plans with smaller windows. A single window is asked for only when it did not fit."""
        if tiles.count > 1:
            yield tiles
        side = max(tiles.window)
        while side > MIN_TILE:
            side = max(MIN_TILE, side // 2)
            yield self.plan(tiles.columns[-1].hi, tiles.rows[-1].hi, side)

    def _run_window(self, window: np.ndarray) -> np.ndarray:
        from utils.opencv import cv2

        self._control.check()
        batch = _as_numbers(window)
        with self._control.turn(self.session.parallelism):
            output = self._through_network(batch)
        self._check_numbers(batch, output)
        if output.shape[2] != batch.shape[2]:
            # Gray through a colour network: the mean of what the three channels would show cannot be tinted.
            output = np.clip(output, 0, 1).mean(axis=2, keepdims=True)
        height, width, channels = output.shape
        # One fused multiply, round and clip; numpy needs four passes over the largest array of the program.
        flat = np.ascontiguousarray(output).reshape(height, -1)
        scaled: np.ndarray = cv2.multiply(flat, float(FULL_SCALE), dtype=cv2.CV_16U)  # type: ignore[call-overload]
        return scaled.reshape(height, width, channels)

    def _batch(self, window: np.ndarray) -> np.ndarray:
        """``(h, w, C) float32`` as the network takes it: gray as three equal channels, or colours one by one."""
        channels, wanted = window.shape[2], self.info.in_channels
        if channels == wanted:
            return window[None]
        if channels == 1:
            return np.repeat(window, wanted, axis=2)[None]
        return np.ascontiguousarray(window.transpose(2, 0, 1)[..., None])

    def _through_network(self, window: np.ndarray) -> np.ndarray:
        """``(h, w, C) float32`` to ``(sh, sw, C)``, whatever number of channels the network takes."""
        output = self.session.infer(self._batch(window))
        return output[0] if len(output) == 1 else output[..., 0].transpose(1, 2, 0)

    def _check_numbers(self, batch: np.ndarray, output: np.ndarray) -> None:
        """Narrow number types overflow to NaN, or to black, on some models and cards."""
        flat = output.reshape(-1)
        finite = np.isfinite(np.dot(flat, flat))
        black = self.session.precision != "fp32" and finite and output.max() < 0.004 and batch.mean() > 0.1
        if not finite or black:
            raise PrecisionError(f"{self.session.precision} gave {'black' if black else 'NaN'} pixels")


def upscaler_for(model: LoadedModel, settings: EnhanceSettings, context: JobContext, control: JobControl) -> Upscaler:
    """With the tile of the settings, or what memory, the backend and an earlier shortage of memory say."""
    automatic = settings.auto_tile and settings.tile == 0
    free = model.session.free_memory()
    return Upscaler(
        model.session,
        model.info,
        tile=None if automatic else settings.tile,
        budget=MemoryBudget(available_host_memory() if free is None else free, context.reserve),
        remembered_tile=context.manager.tile_memory.get(model.tile_key) if automatic else None,
        control=control,
    )


def _as_numbers(window: np.ndarray) -> np.ndarray:
    """``uint8 | uint16`` pixels as ``float32`` in 0..1."""
    batch = window.astype(np.float32)
    batch *= 1.0 / (255.0 if window.dtype == np.uint8 else FULL_SCALE)
    return batch


def bleed_transparent(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Fill invisible pixels with the colour of their visible surroundings.

    What hides under full transparency is often black or white; a network would draw it as a halo around the edge.
    Push-pull over a pyramid (Gortler et al., The Lumigraph, 1996): average visible colour down, fill on the way up.

    Args:
        pixels: ``(H, W, C) uint8 | uint16``.
        alpha: ``(H, W)`` of the same dtype.
    """
    from utils.opencv import cv2

    if alpha.min() > 0:
        return pixels
    weight = (alpha > 0).astype(np.float32)
    if not weight.any():
        return pixels
    levels: list[tuple[np.ndarray, np.ndarray]] = [(pixels.astype(np.float32) * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        color, visible = levels[-1]
        size = (max(1, (visible.shape[1] + 1) // 2), max(1, (visible.shape[0] + 1) // 2))
        small = cv2.resize(color, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
        levels.append((small, cv2.resize(visible, size, interpolation=cv2.INTER_AREA)))
    color, visible = levels.pop()
    filled = color / np.maximum(visible[..., None], 1e-6)
    while levels:
        color, visible = levels.pop()
        size = (visible.shape[1], visible.shape[0])
        larger = cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR).reshape(size[1], size[0], -1)
        share = np.minimum(visible, 1.0)[..., None]
        filled = (
            color + larger * (1 - share)
            if not levels
            else np.where(visible[..., None] > 1e-6, color / np.maximum(visible[..., None], 1e-6), larger)
        )
    result = pixels.copy()
    hidden = alpha == 0
    result[hidden] = np.clip(np.rint(filled[hidden]), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    return result
