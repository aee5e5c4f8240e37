"""One picture from pixels to bands of the finished result: passes, colour, final resize, fidelity, canvas.

Everything streams: the largest arrays alive are the input, the current band, and between two passes the intermediate
picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from engine.imaging.upscaler import Upscaler, bleed_transparent
from engine.pixels.borders import Margins, only_color
from engine.pixels.color import BEST_PSNR, ColorMatcher
from engine.pixels.normals import unit_vectors
from engine.pixels.resample import from_full_scale, plain_bands, resize_bands, resize_rows, to_full_scale
from engine.pixels.sizing import SizePlan, passes_for
from engine.pixels.tiling import FULL_SCALE, SLICE_PIXELS, TilePlan
from engine.types import EnhanceSettings, JobControl, Progress
from utils.picture import Picture


@dataclass
class PipelineReport:
    """Filled in while the bands stream; complete when they are exhausted."""

    passes: int = 0
    tiles: int = 0
    window: tuple[int, int] = (0, 0)
    color_difference_before: float | None = None
    color_difference_after: float | None = None
    faithfulness_psnr: float | None = None
    tile_shrunk: int = 0


class PicturePipeline:
    """Enhances one picture.

    Args:
        picture: the input, already cropped to what ``size`` speaks of.
        upscaler: the network, or None for a classical resampler.
        resampler: its name when ``upscaler`` is None.
        bit_depth, channels: of the result (channels with alpha: 1 to 4).
        overlay: what is drawn into the enhanced picture's ``(rows, W, channels) uint16`` bands, before any padding.
        repeat_borders: see ``borders``; not for films, whose windows must not change from frame to frame.
    """

    def __init__(
        self,
        picture: Picture,
        size: SizePlan,
        settings: EnhanceSettings,
        *,
        upscaler: Upscaler | None,
        resampler: str = "lanczos",
        bit_depth: int = 8,
        control: JobControl | None = None,
        overlay: Callable[[Iterator[np.ndarray]], Iterator[np.ndarray]] | None = None,
        repeat_borders: bool = True,
    ) -> None:
        self._picture, self._size, self._settings = picture, size, settings
        self._overlay = overlay
        self._upscaler, self._resampler = upscaler, resampler
        self._bit_depth = bit_depth
        self._control = control or JobControl()
        self.report = PipelineReport()
        alpha = picture.alpha
        self._constant_alpha = alpha is not None and bool(alpha.min() == alpha.max())
        self._margins = Margins()
        if upscaler is not None and repeat_borders:
            self._margins = Margins.of(bled(picture).pixels).wrapped(settings.seamless, upscaler.context)
        self._plans = self._plan_passes()
        self._done = 0
        self._started = time.monotonic()

    def _plan_passes(self) -> list[TilePlan]:
        if self._upscaler is None:
            return []
        plans, (width, height) = [], self._picture.size
        for _ in range(passes_for(self._size.scale, self._upscaler.info.scale)):
            plans.append(self._upscaler.plan(*self._margins.size(width, height)))
            width, height = width * self._upscaler.info.scale, height * self._upscaler.info.scale
        self.report.passes = len(plans)
        self.report.window = plans[0].window
        planes = 2 if self._picture.alpha is not None and not self._constant_alpha else 1
        self.report.tiles = sum(tiles.count for tiles in plans) * planes
        return plans

    def prepare(self) -> None:
        """Compile for the windows that will be run."""
        if self._upscaler is not None:
            for tiles in self._plans:
                self._upscaler.prepare(tiles)

    @property
    def channels(self) -> int:
        """Channels of the bands: colours, and alpha where there is one."""
        return self._picture.channels

    def bands(self) -> Iterator[np.ndarray]:
        """Yield ``(rows, canvas width, channels)`` of ``uint8`` or ``uint16``, top to bottom."""
        self._started = time.monotonic()
        bands = self._color_and_alpha() if self._upscaler is not None else self._resampled()
        bands = self._with_fidelity(bands)
        if self._settings.normal_map:
            bands = unit_vectors(bands)
        if self._overlay is not None:
            bands = self._overlay(bands)
        for band in self._on_canvas(bands):
            self._control.check()
            yield from_full_scale(band, self._bit_depth)
        if self._upscaler is not None:
            self.report.tile_shrunk = self._upscaler.limit.shrunk

    def _resampled(self) -> Iterator[np.ndarray]:
        height = self._size.content[1]
        done = 0
        for band in plain_bands(bled(self._picture).interleaved(), self._size.content, self._resampler):
            done += band.shape[0]
            self._tell(done, height, "Resizing")
            yield band

    def _color_and_alpha(self) -> Iterator[np.ndarray]:
        """All passes, then the final resize."""
        assert self._upscaler is not None
        scale, alpha = self._upscaler.info.scale, self._picture.alpha
        pixels = bled(self._picture).pixels
        for tiles in self._plans[:-1]:
            # Between passes the picture is whole, at 16 bits: rounding to 8 would be enlarged by the next pass.
            grown = self._one_pass(pixels, alpha, tiles)
            joined = np.concatenate(list(self._margins.without(grown, scale, pixels.shape[0])))
            if alpha is not None:
                pixels, alpha = np.ascontiguousarray(joined[..., :-1]), np.ascontiguousarray(joined[..., -1])
            else:
                pixels = joined
        height, width = pixels.shape[:2]
        last, content = self._one_pass(pixels, alpha, self._plans[-1]), self._size.content
        ratio = Fraction(content[0], width)
        if self._margins.last_through(ratio) and content[1] == height * ratio:
            # The final resize looks across the borders of a texture as well.
            sides = self._margins.size(width, height)
            target = (int(sides[0] * ratio), int(sides[1] * ratio))
            resized = resize_bands(last, (sides[0] * scale, sides[1] * scale), target)
            yield from self._margins.without(resized, ratio, height)
        else:
            cropped = self._margins.without(last, scale, height)
            yield from resize_bands(cropped, (width * scale, height * scale), content)

    def _one_pass(self, pixels: np.ndarray, alpha: np.ndarray | None, tiles: TilePlan) -> Iterator[np.ndarray]:
        """One network pass with its colour match, margins included; alpha, if any, is the last channel."""
        assert self._upscaler is not None
        scale, (height, width) = self._upscaler.info.scale, pixels.shape[:2]
        color = only_color(pixels) if alpha is None or self._constant_alpha else None
        if color is not None:
            width, height = self._margins.size(width, height)
            yield from self._one_color(color, alpha, (height * scale, width * scale), tiles)
            return
        pixels = self._margins.around(pixels)
        matcher = ColorMatcher(pixels, scale, enabled=self._settings.color_match)
        bands = matcher.apply(self._upscaler.bands(pixels, tiles, self._tile_done))
        if alpha is not None:
            bands = self._with_alpha(bands, self._margins.around(alpha), tiles)
        yield from bands
        self._note(matcher.difference_before, matcher.difference_after, matcher.faithfulness_psnr)

    def _note(self, before: float, after: float, psnr: float) -> None:
        """A pass in the report: the largest differences of colour, and how true the first pass was."""
        self.report.color_difference_before = max(before, self.report.color_difference_before or 0.0)
        self.report.color_difference_after = max(after, self.report.color_difference_after or 0.0)
        if self.report.faithfulness_psnr is None:
            self.report.faithfulness_psnr = psnr

    def _one_color(
        self, color: np.ndarray, alpha: np.ndarray | None, size: tuple[int, int], tiles: TilePlan
    ) -> Iterator[np.ndarray]:
        """A picture of one colour, and its constant alpha, ``size`` (height, width) large: no network is needed."""
        values = [to_full_scale(color[None, None])[0, 0]]
        if alpha is not None:
            values.append(to_full_scale(alpha[:1, :1])[0])
        value, (height, width) = np.concatenate(values), size
        rows = max(1, SLICE_PIXELS // width)
        for start in range(0, height, rows):
            self._control.check()
            yield np.broadcast_to(value, (min(rows, height - start), width, value.size))
        for _ in range(tiles.count):
            self._tile_done()
        self._note(0.0, 0.0, BEST_PSNR)

    def _with_alpha(self, color: Iterator[np.ndarray], alpha: np.ndarray, tiles: TilePlan) -> Iterator[np.ndarray]:
        assert self._upscaler is not None
        if self._constant_alpha:
            value = to_full_scale(alpha[:1, :1])[0, 0]
            for band in color:
                yield np.concatenate([band, np.full((*band.shape[:2], 1), value, np.uint16)], axis=2)
            return
        planes = self._upscaler.alpha_bands(alpha, tiles, self._tile_done)
        for band in color:
            # Colour matching holds bands back but keeps their heights, so both streams stay in step.
            yield np.concatenate([band, next(planes)], axis=2)

    def _with_fidelity(self, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Blend with the plainly resized input."""
        share = self._settings.fidelity
        if share == 0 or self._upscaler is None:
            yield from bands
            return
        source = bled(self._picture).interleaved()
        yield from blend_with_source(bands, source, self._size.content, share)

    def _on_canvas(self, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Surround the content with black (transparent where there is alpha) for "pad"."""
        (width, height), (left, top) = self._size.canvas, self._size.offset
        if (width, height) == self._size.content:
            yield from bands
            return
        if top:
            yield np.zeros((top, width, self.channels), np.uint16)
        for band in bands:
            wide = np.zeros((band.shape[0], width, self.channels), np.uint16)
            wide[:, left : left + band.shape[1]] = band
            yield wide
        below = height - top - self._size.content[1]
        if below:
            yield np.zeros((below, width, self.channels), np.uint16)

    def _tile_done(self) -> None:
        self._done += 1
        self._tell(self._done, self.report.tiles, "Enhancing")

    def _tell(self, done: int, total: int, stage: str) -> None:
        elapsed = time.monotonic() - self._started
        eta = elapsed / done * (total - done) if done else None
        self._control.report(Progress(stage, done, total, done / max(1, total), eta))


def bled(picture: Picture) -> Picture:
    """The picture with the visible colours continued under full transparency."""
    if picture.alpha is None:
        return picture
    return Picture(bleed_transparent(picture.pixels, picture.alpha), picture.alpha, picture.metadata)


def blend_with_source(
    bands: Iterator[np.ndarray],
    source: np.ndarray,
    size: tuple[int, int],
    share: float,
    convert: Callable[[np.ndarray], np.ndarray] = to_full_scale,
) -> Iterator[np.ndarray]:
    """Mix ``uint16`` bands with ``source`` resized to ``size``: ``share`` 0 = bands alone, 1 = source alone.

    ``convert`` gives the resized rows, ``(n, W, C) uint16``, the channels of the bands.
    """
    row = 0
    for band in bands:
        plain = convert(resize_rows(source, size, row, row + band.shape[0])).astype(np.float32)
        row += band.shape[0]
        mixed = band.astype(np.float32) * (1 - share) + plain * share
        yield np.clip(np.rint(mixed), 0, FULL_SCALE).astype(np.uint16)
