"""How a graph is to be used is found out by trying it: sizes, margin, value range, what it leaves out."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from engine.models.ncnn import read_pair
from engine.models.ncnn.facts import Facts
from engine.models.ncnn.probe import is_pro
from tests.ncnn_pairs import plain, published, tagged, write_pair
from utils.errors import UnsupportedModelError

PUBLISHED = {
    # scale, margin (as waifu2x-ncnn-vulkan and realcugan-ncnn-vulkan pad), multiple, pools
    "WAIFU2X_ANIME_UP2X": (2, 7, 1, 0),
    "WAIFU2X_PHOTO_UP2X_DENOISE3X": (2, 7, 1, 0),
    "WAIFU2X_CUNET_UP1X_DENOISE0X": (1, 28, 4, 4),
    "WAIFU2X_CUNET_UP2X": (2, 18, 2, 4),
    "REALCUGAN_SE_UP2X": (2, 18, 2, 4),
    "REALCUGAN_SE_UP3X": (3, 14, 4, 4),
    "REALCUGAN_SE_UP4X": (4, 19, 2, 4),
    "REALCUGAN_PRO_UP2X_CONSERVATIVE": (2, 18, 2, 4),
    "REALESRGAN_ANIMAVIDEOV3_UP2X": (2, 0, 1, 0),
    "REALESRGAN_ANIMAVIDEOV3_UP3X": (3, 0, 1, 0),
    "4xSPANkendata": (4, 0, 1, 0),
}
RADII = {"WAIFU2X_ANIME_UP2X": 7, "REALESRGAN_ANIMAVIDEOV3_UP2X": 19, "4xSPANkendata": 21}
"""Sums of half kernels; the reducing bicubic reaches one pixel farther."""


@pytest.mark.parametrize("path", published(*PUBLISHED))
def test_published_graphs(path):
    pair = read_pair(path)
    info, facts = pair.info, pair.facts
    assert (info.scale, facts.margin, info.multiple_of, info.global_pools) == PUBLISHED[path.stem]
    assert (info.architecture, info.kind, info.in_channels, info.out_channels) == ("ncnn graph", "upscale", 3, 3)
    assert info.receptive_radius == RADII.get(path.stem, info.receptive_radius)
    assert info.receptive_radius is not None and info.receptive_radius >= facts.margin
    assert facts.residual == ("SE_UP4X" in path.stem)
    assert (facts.input_factor, facts.input_offset) == ((0.7, 0.15) if "PRO" in path.stem else (1.0, 0.0))


@pytest.mark.parametrize("path", published("REALCUGAN_SE_UP4X", "REALCUGAN_SE_UP4X_DENOISE3X"))
def test_the_input_that_real_cugan_leaves_out_is_added(path):
    import torch

    grey = torch.full((1, 3, 32, 32), 0.6)
    assert float((read_pair(path).module()(grey) - 0.6).abs().mean()) < 0.02


def test_pro_is_a_word_of_the_files_name_or_its_folders():
    from pathlib import Path

    for name in ("REALCUGAN_PRO_UP2X.param", "models-pro/up2x-conservative.param", "up3x-pro.param"):
        assert is_pro(Path(name))
    for name in ("REALCUGAN_SE_UP2X.param", "professional.param", "models-se/up2x.param"):
        assert not is_pro(Path(name))


@pytest.mark.parametrize("path", published("REALCUGAN_SE_UP2X", "WAIFU2X_ANIME_UP2X"))
def test_the_word_counts_only_for_networks_of_that_kind(path, tmp_path):
    for suffix in (".param", ".bin"):
        shutil.copy(path.with_suffix(suffix), tmp_path / f"net-pro{suffix}")
    factor = read_pair(tmp_path / "net-pro.param").facts.input_factor
    assert factor == (0.7 if "CUGAN" in path.stem else 1.0)


def identity(kernel: int, channels: int = 3) -> bytes:
    """A convolution that passes its middle pixel on."""
    weight = np.zeros((channels, channels, kernel, kernel), np.float32)
    weight[range(channels), range(channels), kernel // 2, kernel // 2] = 1
    return tagged(weight) + plain(np.zeros(channels))


def facts_of(folder, layers: str, weights: bytes = b"") -> Facts:
    return read_pair(write_pair(folder, layers, weights)).facts


def test_reach_is_counted_through_padding_enlarging_and_joining(tmp_path):
    layers = """
        Split s 1 2 in x y
        Convolution a 1 1 x a 0=3 1=5 4=2 5=1 6=225
        Convolution b 1 1 a b 0=3 1=3 2=2 4=2 5=1 6=81
        BinaryOp c 2 1 b y c 0=0
        BinaryOp h 1 1 c h 0=2 1=1 2=0.5
        Interp out 1 1 h out 0=1 1=2.0 2=2.0"""
    facts = facts_of(tmp_path, layers, identity(5) + identity(3))
    assert facts == Facts(2, 3, 3, receptive_radius=4)


def test_a_network_without_padding_gets_a_margin(tmp_path):
    facts = facts_of(tmp_path, "Convolution a 1 1 in out 0=3 1=7 5=1 6=441", identity(7))
    assert (facts.scale, facts.margin, facts.receptive_radius) == (1, 3, 3)


def test_an_uneven_margin_is_cut_off_again(tmp_path):
    """Seven pixels are missing at twice the size: four are added, and one at the end is too much."""
    layers = "Interp i 1 1 in i 0=1 1=2.0 2=2.0\nConvolution a 1 1 i out 0=3 1=8 5=1 6=576"
    facts = facts_of(tmp_path, layers, identity(8))
    assert (facts.scale, facts.margin, facts.cut) == (2, 2, 0)
    import torch

    pixels = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    assert read_pair(tmp_path / "net.param").module()(pixels).shape == (1, 3, 18, 22)


def test_a_network_on_a_grid_says_so(tmp_path):
    layers = """
        Reorg r 1 1 in r 0=4
        PixelShuffle p 1 1 r out 0=4"""
    facts = facts_of(tmp_path, layers)
    assert (facts.scale, facts.multiple_of, facts.receptive_radius) == (1, 4, 3)


@pytest.mark.parametrize(
    ("layers", "given", "taken", "residual"),
    [
        ("Noop a 1 1 in out", (1, 0), (1, 0), False),
        ("Clip a 1 1 in out 0=2.0 1=255.0", (255, 0), (255, 0), False),
        ("BinaryOp b 1 1 in b 0=3 1=1 2=255.0\nClip a 1 1 b out 0=0.05 1=1.0", (255, 0), (1, 0), False),
        ("BinaryOp a 1 1 in out 0=2 1=1 2=255.0", (1, 0), (255, 0), False),
        ("BinaryOp b 1 1 in b 0=2 1=1 2=2.0\nBinaryOp a 1 1 b out 0=1 1=1 2=1.0", (1, 0), (2, -1), False),
        ("BinaryOp a 1 1 in out 0=2 1=1 2=0.0", (1, 0), (1, 0), True),
    ],
)
def test_the_range_of_values(tmp_path, layers, given, taken, residual):
    """Whatever the graph takes and gives, pictures go in and come out in 0..1."""
    import torch

    pair = read_pair(write_pair(tmp_path, layers))
    facts = pair.facts
    assert (facts.input_factor, facts.input_offset) == given
    assert (facts.output_factor, facts.output_offset, facts.residual) == (*taken, residual)
    pixels = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    torch.testing.assert_close(pair.module()(pixels), pixels)


def test_grey_networks(tmp_path):
    info = read_pair(write_pair(tmp_path, "Convolution a 1 1 in out 0=1 1=3 4=1 5=1 6=9", identity(3, 1))).info
    assert (info.in_channels, info.out_channels, info.scale) == (1, 1, 1)


@pytest.mark.parametrize(
    ("layers", "weights", "reason"),
    [
        ("Interp a 1 1 in out 0=2 3=256 4=256", b"", "no picture at a scale of 1 to 8"),
        ("Interp a 1 1 in out 0=2 1=0.5 2=0.5", b"", "no picture at a scale"),
        ("Interp a 1 1 in out 0=1 1=2.0 2=3.0", b"", "no picture at a scale"),
        ("Interp a 1 1 in out 0=1 1=16.0 2=16.0", b"", "no picture at a scale"),
        ("Pooling a 1 1 in out 0=1 4=1", b"", "no picture of one or three channels"),
        ("Convolution a 1 1 in out 0=2 1=1 5=0 6=6", tagged(np.ones(6)), "no picture of one or three channels"),
        ("Convolution a 1 1 in out 0=3 1=1 5=0 6=15", tagged(np.ones(15)), "takes no pictures of one or three"),
        ("UnaryOp a 1 1 in b 0=1\nUnaryOp c 1 1 b out 0=8", b"", "NaN or infinite"),
        ("Convolution a 1 1 in out 0=3 1=1 5=1 6=9", tagged(np.eye(3)) + plain([0, 0, 3e38]), "NaN or infinite"),
    ],
)
def test_what_is_no_network_for_pictures_is_refused_with_the_reason(tmp_path, layers, weights, reason):
    pair = read_pair(write_pair(tmp_path, layers, weights))
    with pytest.raises(UnsupportedModelError, match=rf"net\.param.*{reason}"):
        _ = pair.info
