"""Networks that take means over the whole picture: tiles share them, so nothing shows where tiles meet."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.backends.base import NetworkSource
from engine.backends.openvino_backend import OpenVinoBackend
from engine.backends.torch_backend import TorchBackend, TorchSession
from engine.imaging.upscaler import Upscaler
from engine.models.ncnn import read_pair
from engine.pixels.tiling import MemoryBudget, TileOutOfMemory
from engine.types import JobControl
from tests.ncnn_pairs import convolution, tagged, write_pair
from utils.errors import JobCancelled

BACKENDS = [TorchBackend(), OpenVinoBackend()]
LAYERS = """
    Convolution a 1 1 in a 0=8 1=3 5=1 6=216 9=2 -23310=1,0.1
    Convolution down 1 1 a d 0=8 1=2 3=2 5=1 6=256 9=2 -23310=1,0.1
    Split s1 1 2 d d0 d1
    Pooling p1 1 1 d1 p1 0=1 4=1
    InnerProduct f1 1 1 p1 f1 0=8 1=1 2=64 9=4
    BinaryOp m1 2 1 d0 f1 m1 0=2
    Deconvolution up 1 1 m1 u 0=8 1=2 3=2 5=1 6=256
    Split s2 1 2 u u0 u1
    Pooling p2 1 1 u1 p2 0=1 4=1
    InnerProduct f2 1 1 p2 f2 0=8 1=1 2=64 9=4
    Scale m2 2 1 u0 f2 m2 0=-233
    Convolution b 1 1 m2 b 0=12 1=3 5=1 6=864
    PixelShuffle out 1 1 b out 0=2
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A small squeeze-excite network at twice the size, without padding, on a grid of two pixels."""
    rng = np.random.default_rng(0)

    def dense() -> bytes:
        return tagged(rng.normal(0, 2, (8, 8)).astype(np.float32)) + rng.normal(0, 1, 8).astype("<f4").tobytes()

    weights = convolution(rng, 8, 3, gain=3) + convolution(rng, 8, 8, 2, gain=2) + dense()
    weights += convolution(rng, 8, 8, 2, gain=4) + dense() + convolution(rng, 12, 8)
    return read_pair(write_pair(tmp_path_factory.mktemp("pair"), LAYERS, weights))


@pytest.fixture
def uneven():
    """A picture whose corners are so different that each tile's own means would be, too; of odd size."""
    y, x = np.mgrid[0:101, 0:127].astype(np.float32)
    base = np.stack([x / 127, y / 101, x * y / 127 / 101], axis=-1)
    base[:50, :60] += np.random.default_rng(0).normal(0, 0.3, (50, 60, 3))
    return (np.clip(base, 0, 1) * 255).astype(np.uint8)


def opened(pair, backend):
    return backend.open(NetworkSource("net", "net", pair.info, pair.module, dict), "cpu", "fp32", None)


def enlarged(upscaler, pixels):
    tiles = upscaler.plan(pixels.shape[1], pixels.shape[0])
    return np.concatenate(list(upscaler.bands(pixels, tiles))).astype(np.float64) / 257, tiles.count


def test_the_network_is_what_the_tests_need(pair):
    assert (pair.info.scale, pair.info.global_pools, pair.facts.margin > 0) == (2, 2, True)
    assert pair.info.multiple_of == 2 and pair.info.receptive_radius is not None


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_tiles_give_what_the_whole_picture_gives(pair, backend, uneven):
    session = opened(pair, backend)
    whole, count = enlarged(Upscaler(session, pair.info, tile=0), uneven)
    assert count == 1
    for tile in (48, 64, 96):
        tiled, count = enlarged(Upscaler(session, pair.info, tile=tile), uneven)
        assert count > 1
        assert np.abs(tiled - whole).max() < 0.02  # of 255
    alone = Upscaler(session, pair.info, tile=64)
    alone._runner = lambda pixels, tiles: alone._run_window
    assert np.abs(enlarged(alone, uneven)[0] - whole).max() > 3  # what is avoided


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_gray_and_alpha_have_means_of_their_own(pair, backend, uneven):
    session = opened(pair, backend)
    gray, alpha = uneven[..., :1], np.ascontiguousarray(uneven[..., 1])
    whole, tiled = (Upscaler(session, pair.info, tile=tile) for tile in (0, 64))
    assert np.abs(enlarged(tiled, gray)[0] - enlarged(whole, gray)[0]).max() < 0.02
    planes = [
        np.concatenate(list(one.alpha_bands(alpha, one.plan(127, 101)))).astype(np.float64) for one in (tiled, whole)
    ]
    assert np.abs(planes[0] - planes[1]).max() < 0.02 * 257


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_colours_one_by_one_have_means_of_their_own(tmp_path, backend, uneven):
    """A network for one channel gets three planes at a time, each with means of its own."""
    rng = np.random.default_rng(0)
    layers = """
        Convolution a 1 1 in a 0=4 1=3 4=1 5=1 6=36
        Split s 1 2 a x y
        Pooling p 1 1 y p 0=1 4=1
        Scale m 2 1 x p m 0=-233
        Convolution b 1 1 m out 0=1 1=3 4=1 5=1 6=36"""
    weights = convolution(rng, 4, 1, gain=2) + convolution(rng, 1, 4, gain=2)
    gray = read_pair(write_pair(tmp_path, layers, weights))
    assert (gray.info.in_channels, gray.info.global_pools) == (1, 1)
    session = opened(gray, backend)
    whole, tiled = (enlarged(Upscaler(session, gray.info, tile=tile), uneven)[0] for tile in (0, 64))
    assert np.abs(tiled - whole).max() < 0.02


class Cramped(TorchSession):
    """Has no room for windows over a size."""

    most = 64

    def run(self, batch, action):
        if max(batch.shape[1:3]) > self.most:
            raise TileOutOfMemory("too large")
        return super().run(batch, action)


@pytest.mark.parametrize("tile", [0, 96], ids=["one window", "tiles"])
def test_windows_that_do_not_fit_become_smaller_and_still_share_their_means(pair, uneven, tile):
    whole, _ = enlarged(Upscaler(opened(pair, TorchBackend()), pair.info, tile=0), uneven)
    cramped = Upscaler(Cramped(pair.module(), "cpu", "fp32", pair.info), pair.info, tile=tile)
    found, _ = enlarged(cramped, uneven)
    assert cramped.limit.shrunk > 0
    assert np.abs(found - whole).max() < 1


def test_no_memory_at_all_is_said(pair, uneven):
    session = Cramped(pair.module(), "cpu", "fp32", pair.info)
    session.most = 8
    with pytest.raises(TileOutOfMemory):
        enlarged(Upscaler(session, pair.info, tile=64), uneven)


def test_cancelling_is_seen_while_the_means_are_found(pair, uneven):
    control = JobControl()
    session = opened(pair, TorchBackend())
    upscaler = Upscaler(session, pair.info, tile=64, control=control)
    bands = upscaler.bands(uneven, upscaler.plan(127, 101))
    control.cancel()
    with pytest.raises(JobCancelled):
        next(bands)


def test_pictures_at_the_same_time_keep_their_means_apart(pair, uneven):
    session = opened(pair, OpenVinoBackend())
    pictures = [uneven, 255 - uneven, np.ascontiguousarray(uneven[::-1])]
    alone = [enlarged(Upscaler(session, pair.info, tile=64), pixels)[0] for pixels in pictures]
    together = {}

    def work(index):
        together[index] = enlarged(Upscaler(session, pair.info, tile=64), pictures[index])[0]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, expected in enumerate(alone):
        np.testing.assert_allclose(together[index], expected, atol=0.01)


def test_whole_windows_are_preferred_where_memory_permits(pair):
    session = opened(pair, TorchBackend())
    assert Upscaler(session, pair.info, budget=MemoryBudget(64 * 2**30)).tile == 1024
    assert Upscaler(session, pair.info, budget=MemoryBudget(2**30)).tile < 1024


def test_networks_without_means_have_no_stages(tmp_path):
    pair = read_pair(write_pair(tmp_path, "Interp a 1 1 in out 0=1 1=2.0 2=2.0"))
    assert pair.info.global_pools == 0
    for backend in BACKENDS:
        assert opened(pair, backend).stages() is None
