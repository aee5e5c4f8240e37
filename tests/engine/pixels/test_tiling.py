"""Tiles cover a picture exactly once, join without a trace, and shrink when memory runs out."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.pixels.tiling import TiledInference, TileLimit, TileOutOfMemory, cover, cut, plan, reflect


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, channels), dtype=np.uint8)


def blur_and_enlarge(window: np.ndarray, radius: int = 5, scale: int = 2) -> np.ndarray:
    """A stand-in network with a known receptive radius: a box blur, zero-padded like a convolution, then nearest."""
    padded = np.pad(window.astype(np.float64), ((radius, radius), (radius, radius), (0, 0)))
    sums = padded.cumsum(0).cumsum(1)
    sums = np.pad(sums, ((1, 0), (1, 0), (0, 0)))
    side = 2 * radius + 1
    box = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.rint(box / side**2 * 257).astype(np.uint16).repeat(scale, 0).repeat(scale, 1)


def joined(runner: TiledInference, pixels: np.ndarray, tiles) -> np.ndarray:
    return np.concatenate(list(runner.bands(pixels, tiles)))


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 64), (65, 129), (200, 333)])
@pytest.mark.parametrize("tile", [0, 48, 64, 100])
def test_tiled_result_equals_untiled_result_when_the_halo_covers_the_receptive_field(size, tile):
    height, width = size
    pixels = picture(height, width)
    whole = plan(width, height, tile=0, halo=5)
    tiles = plan(width, height, tile=tile, halo=5)
    assert whole.count == 1
    expected = joined(TiledInference(blur_and_enlarge, 2), pixels, whole)
    result = joined(TiledInference(blur_and_enlarge, 2, parallelism=3), pixels, tiles)
    assert result.shape == (2 * height, 2 * width, 3)
    np.testing.assert_array_equal(result, expected)


def test_too_small_a_halo_is_visible_so_the_test_above_can_fail():
    pixels = picture(200, 200)
    expected = joined(TiledInference(blur_and_enlarge, 2), pixels, plan(200, 200, tile=0, halo=5))
    result = joined(TiledInference(blur_and_enlarge, 2), pixels, plan(200, 200, tile=64, halo=1))
    assert (result != expected).any()


@pytest.mark.parametrize(("length", "limit", "halo"), [(100, 64, 8), (1000, 64, 16), (129, 128, 4), (5000, 256, 34)])
def test_windows_are_equal_and_overlap_by_two_halos(length, limit, halo):
    windows = cover(length, limit, halo, 8)
    assert {window.length for window in windows} == {windows[0].length}
    assert windows[0].length <= limit and windows[0].length % 8 == 0
    assert windows[0].start == 0 and windows[-1].stop == length
    for left, right in zip(windows, windows[1:], strict=False):
        assert left.hi == right.lo
        assert left.hi - right.start >= halo and left.stop - left.hi >= halo


def test_reflection_does_not_repeat_the_edge_and_works_beyond_one_period():
    np.testing.assert_array_equal(reflect(-3, 7, 4), [3, 2, 1, 0, 1, 2, 3, 2, 1, 0])
    np.testing.assert_array_equal(reflect(-2, 3, 1), [0, 0, 0, 0, 0])


def test_windows_end_with_the_picture_so_that_the_networks_own_padding_meets_its_edge():
    """Mirrored pixels around the picture would differ from an untiled run at all four edges."""
    pixels = picture(75, 131)
    for tile in (0, 64):
        tiles = plan(131, 75, tile=tile, halo=5)
        assert (tiles.rows[0].start, tiles.columns[0].start) == (0, 0)
        assert (tiles.rows[-1].stop, tiles.columns[-1].stop) == (75, 131)
        np.testing.assert_array_equal(
            joined(TiledInference(blur_and_enlarge, 2), pixels, tiles), blur_and_enlarge(pixels)
        )


@pytest.mark.parametrize("width", [63, 129, 130, 501])
def test_a_network_that_unshuffles_pixels_gets_every_window_on_its_grid(width):
    """Pixel-unshuffle by 2 looks at pairs of pixels: a window from an odd pixel on would pair others."""

    def pairs(window: np.ndarray) -> np.ndarray:
        assert window.shape[0] % 2 == 0 and window.shape[1] % 2 == 0
        mean = window.astype(np.float64).reshape(window.shape[0] // 2, 2, -1, 2, 3).mean((1, 3))
        return np.rint(mean * 257).astype(np.uint16).repeat(2, 0).repeat(2, 1)

    pixels = picture(41, width)
    tiles = plan(width, 41, tile=64, halo=5, unit=2)
    assert all(window.start % 2 == 0 for window in tiles.columns)
    expected = joined(TiledInference(pairs, 1), pixels, plan(width, 41, tile=0, halo=5, unit=2))
    np.testing.assert_array_equal(joined(TiledInference(pairs, 1), pixels, tiles), expected)


def test_a_window_over_the_edge_is_mirrored():
    pixels = picture(4, 5)
    tiles = plan(5, 4, tile=0, halo=2, smallest=8)
    window = cut(pixels, tiles.rows[0], tiles.columns[0])
    np.testing.assert_array_equal(window, np.pad(pixels, ((0, 4), (0, 3), (0, 0)), mode="reflect"))


def test_blending_hands_over_linearly_and_leaves_equal_tiles_alone():
    """Windows that disagree by a constant must meet in a ramp, not in a ridge."""
    calls = iter(range(100))

    def constant(window: np.ndarray) -> np.ndarray:
        return np.full((*window.shape[:2], 3), 10_000 * (next(calls) % 2), np.uint16)

    tiles = plan(120, 30, tile=80, halo=12, blend=8)
    result = joined(TiledInference(constant, 1), picture(30, 120), tiles)
    assert len(tiles.columns) == 2
    steps = np.diff(result[0, :, 0].astype(int))
    assert result[0, 0, 0] == 0 and result[0, -1, 0] == 10_000
    assert steps.max() <= 10_000 / 16 + 1 and (steps >= 0).all()
    same = TiledInference(lambda window: np.full((*window.shape[:2], 3), 777, np.uint16), 1)
    assert (joined(same, picture(200, 200), plan(200, 200, tile=64, halo=12, blend=8)) == 777).all()


class SmallMemory:
    """A network that cannot hold more than ``area`` pixels, and remembers what it was asked."""

    def __init__(self, area: int, fail_from: int = 0) -> None:
        self.area, self.fail_from = area, fail_from
        self.done: list[tuple[int, int]] = []
        self.failed: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def __call__(self, window: np.ndarray) -> np.ndarray:
        with self._lock:
            if len(self.done) >= self.fail_from and window.shape[0] * window.shape[1] > self.area:
                self.failed.append(window.shape[:2])
                raise TileOutOfMemory("test")
            self.done.append(window.shape[:2])
        return blur_and_enlarge(window)


@pytest.mark.parametrize("fail_from", range(7))
def test_running_out_of_memory_at_any_tile_gives_the_same_picture(fail_from):
    pixels = picture(150, 220)
    tiles = plan(220, 150, tile=112, halo=5)
    assert tiles.count == 6
    expected = joined(TiledInference(blur_and_enlarge, 2), pixels, tiles)
    network = SmallMemory(area=60 * 60, fail_from=fail_from)
    result = joined(TiledInference(network, 2, limit=TileLimit(16)), pixels, tiles)
    np.testing.assert_array_equal(result, expected)


def test_no_finished_tile_is_run_again_after_memory_ran_out():
    pixels = picture(150, 220)
    tiles = plan(220, 150, tile=112, halo=5)
    network = SmallMemory(area=60 * 60, fail_from=3)
    joined(TiledInference(network, 2, limit=TileLimit(16)), pixels, tiles)
    large = [size for size in network.done if size == tiles.window]
    assert len(large) == 3
    # The first shortage is met with a failed try or two; afterwards the size that fits is known.
    assert len(network.failed) <= 4


def test_when_the_smallest_tile_does_not_fit_the_error_says_so():
    pixels = picture(150, 150)
    runner = TiledInference(SmallMemory(area=0), 2, limit=TileLimit(32))
    with pytest.raises(TileOutOfMemory, match="does not fit"):
        joined(runner, pixels, plan(150, 150, tile=64, halo=5))


def test_a_failing_tile_stops_the_stream_with_its_error():
    def broken(window: np.ndarray) -> np.ndarray:
        raise ValueError("broken kernel")

    with pytest.raises(ValueError, match="broken kernel"):
        joined(TiledInference(broken, 2, parallelism=2), picture(100, 100), plan(100, 100, tile=48, halo=5))
