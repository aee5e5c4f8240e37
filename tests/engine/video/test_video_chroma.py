"""How finely colour is sampled: kept as it is where an encoder can, else it is said."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests import clips
from utils.video_files import probe_video

X264 = {"codec": "libx264"}
MJPEG = {"codec": "mjpeg", "options": {"qscale": "2"}}
PRORES = {"name": "in.mov", "codec": "prores_ks"}


def colored_lines(number, width, height):
    """Red and green lines in turns, alike in brightness: half of colour's lines make them all one brown."""
    frame = np.empty((height, width, 3), np.uint8)
    frame[::2], frame[1::2] = (200, 60, 60), (20, 152, 60)
    return frame


def apart(pixels):
    """Levels of 255 by which red differs between neighbouring lines."""
    red = pixels[..., 0].astype(float) * 255 / np.iinfo(pixels.dtype).max
    return np.abs(red[::2] - red[1::2]).mean()


def chroma_of(pixel_format):
    return pixel_format.removeprefix("yuvj").removeprefix("yuv")[:3]


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
@pytest.mark.parametrize(
    ("made", "pixel_format", "chroma", "deep"),
    [
        (X264, "yuv444p", "4:4:4", False),
        (X264, "yuv422p", "4:2:2", False),
        (MJPEG, "yuvj422p", "4:2:2", False),
        (X264, "yuv422p10le", "4:2:2", True),
        (PRORES, "yuv422p10le", "4:2:2", True),
    ],
)
def test_colour_is_kept_where_the_encoder_can_else_it_is_said(clip, enhance, made, pixel_format, chroma, deep, codec):
    made = {"name": "in.mkv", **made, "pixel_format": pixel_format, "draw": colored_lines}
    source = clip(**made, frames=3, audio=None)
    result, after = enhance(source, "out.mkv", codec=codec, scale=1, quality=100)
    kept = chroma if codec != "av1" else "4:2:0"
    assert chroma_of(after.pixel_format) == kept.replace(":", "")
    assert after.pixel_format.endswith("10le") is deep
    assert any(chroma in warning for warning in result.warnings) is (kept != chroma)
    assert bool(apart(after.pixels[1]) > 120) is (kept == chroma), "colours of single lines"


@pytest.mark.parametrize(
    ("pixel_format", "chroma"),
    [
        ("yuv420p", "4:2:0"),
        ("yuv422p", "4:2:2"),
        ("yuv422p10le", "4:2:2"),
        ("yuv440p", "4:4:0"),
        ("yuv411p", "4:1:1"),
        ("yuv410p", "4:1:0"),
        ("yuv444p", "4:4:4"),
        ("bgr0", "4:4:4"),
        ("gray", "4:2:0"),
    ],
)
@pytest.mark.parametrize("size", [(64, 48), (8, 2)])
def test_what_a_file_says_of_its_colour(clip, pixel_format, chroma, size):
    source = clip("in.mkv", codec="ffv1", pixel_format=pixel_format, size=size, frames=1, audio=None)
    assert probe_video(source).chroma == chroma


def test_a_palette_is_colour_at_full_resolution_but_for_animated_pictures(clip, tmp_path):
    assert probe_video(clip("in.gif", codec="gif", pixel_format="rgb8", frames=2, audio=None)).chroma == "4:2:0"
    path = tmp_path / "in.mov"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "pal8"
        colors = np.zeros((256, 4), np.uint8)
        colors[1] = (255, 200, 60, 60)
        frame = av.VideoFrame.from_ndarray((np.eye(16, dtype=np.uint8), colors), format="pal8")
        file.mux([*stream.encode(frame), *stream.encode(None)])
    assert probe_video(path).pixel_format == "pal8" and probe_video(path).chroma == "4:4:4"


def test_a_film_that_is_turned_has_its_samples_turned(clip, tmp_path):
    lying = clip(pixel_format="yuv422p", frames=2, audio=None)
    assert probe_video(clips.turned(lying, tmp_path / "turned.mp4", 90)).chroma == "4:4:0"
    assert probe_video(clips.turned(lying, tmp_path / "over.mp4", 180)).chroma == "4:2:2"


def test_colour_of_every_line_needs_only_an_even_width(clip, enhance):
    source = clip("in.mkv", size=(51, 37), codec="ffv1", pixel_format="yuv422p", frames=2, audio=None)
    for codec in ("h264", "h265"):
        result, after = enhance(source, f"{codec}.mkv", scale=1, codec=codec)
        assert after.size == (52, 37) == result.output_size
        assert "51x37 became 52x37" in result.warnings[0]
