"""Every network of the four data wheels gives what ncnn's own runtime gives: whole, and in tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.backends.base import NetworkSource
from engine.backends.openvino_backend import OpenVinoBackend
from engine.backends.torch_backend import TorchBackend
from engine.imaging.upscaler import Upscaler
from engine.models.ncnn import NcnnPair, read_pair
from tests.ncnn_pairs import by_ncnn, published

TOLERANCE = 1 / 255


@pytest.fixture(autouse=True)
def one_thread():
    """These pictures are too small for several, whose waiting would cost more than their work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def picture(height: int, width: int) -> np.ndarray:
    """``(H, W, 3) uint8``: smooth, with edges and fine lines; white noise is no picture, and SPAN shows it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = np.stack([x / width, y / height, 0.5 + 0.4 * np.sin(x / 5 + y / 9)], axis=-1)
    base[height // 4 : height // 2, width // 3 : width // 2] = (0.9, 0.2, 0.1)
    base[:, 3 * width // 4] = 0.05
    base += np.random.default_rng(1).normal(0, 0.01, base.shape)
    return (np.clip(base, 0, 1) * 255).round().astype(np.uint8)


def expected(pair: NcnnPair, pixels: np.ndarray) -> np.ndarray:
    """``(sH, sW, C)`` by ncnn, with the margin, the range and the remainder as the original programs handle them."""
    planes = pixels.transpose(2, 0, 1).astype(np.float32) / 255
    if pair.state is not None:
        return by_ncnn(pair.path, planes, pair.graph.input, pair.graph.output).transpose(1, 2, 0)
    facts = pair.facts
    margin, grid = facts.margin, facts.multiple_of
    sides = [(margin, margin + -side % grid) for side in planes.shape[1:]]
    padded = np.pad(planes, [(0, 0), *sides], mode="edge") * facts.input_factor + facts.input_offset
    output = by_ncnn(pair.path, padded, pair.graph.input, pair.graph.output)
    output = (output - facts.output_offset) / facts.output_factor
    height, width = planes.shape[1] * facts.scale, planes.shape[2] * facts.scale
    output = output[:, facts.cut : facts.cut + height, facts.cut : facts.cut + width]
    if facts.residual:
        output = output + planes.repeat(facts.scale, 1).repeat(facts.scale, 2)
    return output.transpose(1, 2, 0)


@pytest.mark.parametrize("path", published())
def test_whole(path: Path):
    import torch

    pair = read_pair(path)
    pixels = picture(20, 24)
    network = pair.module()
    with torch.inference_mode():
        output = network(torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None])[0]
    found = output.permute(1, 2, 0).numpy()
    wanted = expected(pair, pixels)
    assert found.shape == wanted.shape == (20 * pair.info.scale, 24 * pair.info.scale, 3)
    assert np.abs(found - wanted).max() < TOLERANCE


REPRESENTATIVE = {
    # tile, so that a picture 88 pixels wide takes several
    "REALESRGAN_ANIMAVIDEOV3_UP4X": 64,
    "REALESRGAN_ANIMAVIDEOV3_UP3X": 64,
    "spanx2_ch48": 64,
    "4xSPANkendata": 64,
    "WAIFU2X_PHOTO_UP2X": 48,
    "WAIFU2X_CUNET_UP1X_DENOISE0X": 80,
    "WAIFU2X_CUNET_UP2X": 64,
    "REALCUGAN_SE_UP2X": 64,
    "REALCUGAN_PRO_UP3X": 64,
    "REALCUGAN_SE_UP4X": 64,
}

BY_OPENVINO = ("REALESRGAN_ANIMAVIDEOV3_UP3X", "4xSPANkendata", "WAIFU2X_CUNET_UP1X_DENOISE0X", "REALCUGAN_SE_UP4X")


def source_of(pair: NcnnPair) -> NetworkSource:
    return NetworkSource(pair.path.stem, pair.path.stem, pair.info, pair.module, dict)


def enlarged(upscaler: Upscaler, pixels: np.ndarray, several: bool = True) -> np.ndarray:
    tiles = upscaler.plan(pixels.shape[1], pixels.shape[0])
    assert (tiles.count > 1) == several
    return np.concatenate(list(upscaler.bands(pixels, tiles))) / np.float32(65535)


@pytest.mark.parametrize("path", published(*REPRESENTATIVE))
def test_in_tiles(path: Path):
    """Through the engine, with halos, means over the whole picture shared by all tiles, and 16-bit bands."""
    pair = read_pair(path)
    pixels = picture(32, 88)
    backend = OpenVinoBackend() if path.stem in BY_OPENVINO else TorchBackend()
    session = backend.open(source_of(pair), "cpu", "fp32", None)
    found = enlarged(Upscaler(session, pair.info, tile=REPRESENTATIVE[path.stem]), pixels)
    session.close()
    wanted = np.clip(expected(pair, pixels), 0, 1)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < TOLERANCE


@pytest.mark.parametrize("path", published("REALESRGAN_X4PLUSANIME_UP4X"))
def test_rrdbnet_in_tiles_is_as_near_as_its_halo_allows(path: Path):
    pair = read_pair(path)
    pixels = picture(32, 88)
    session = TorchBackend().open(source_of(pair), "cpu", "fp32", None)
    found = enlarged(Upscaler(session, pair.info, tile=72), pixels)
    assert np.abs(found - np.clip(expected(pair, pixels), 0, 1)).mean() < 0.2 / 255
