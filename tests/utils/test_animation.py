"""Animations keep their frames, their timing and how often they play."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.pictures import SRGB, XMP, exif_with_everything, pattern
from utils import image_io
from utils.errors import OutputError
from utils.metadata import read_comment
from utils.picture import Metadata, Picture
from utils.writers import SaveOptions

DURATIONS = [100, 250, 50, 1000]


def moving_square(alpha: bool) -> list[Picture]:
    """Few colours, so that a GIF holds them exactly; the third frame equals the second."""
    frames = []
    for step in (0, 1, 1, 2):
        pixels = np.full((20, 31, 3), (10, 60, 120), np.uint8)
        pixels[5:12, 3 + 7 * step : 9 + 7 * step] = (250, 200, 30)
        clear = np.full((20, 31), 255, np.uint8)
        clear[15:, : 5 + step] = 0
        frames.append(Picture(pixels, clear if alpha else None))
    return frames


def shown(picture: Picture) -> np.ndarray:
    """What can be seen: colours under full transparency do not count."""
    pixels = picture.interleaved().astype(int)
    return pixels * (pixels[..., -1:] > 0) if pixels.shape[2] in (2, 4) else pixels


@pytest.mark.parametrize("loop", [0, 1, 5])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kind", ["gif", "webp", "png", "jxl"])
def test_frames_timing_and_repeats_come_back(tmp_path, kind, alpha, loop):
    path = tmp_path / f"moving.{kind}"
    frames = moving_square(alpha)
    options = SaveOptions(kind, lossless=True)
    image_io.write_animation(zip(frames, DURATIONS, strict=True), path, loop, options, Metadata())
    info = image_io.probe(path)
    assert image_io.is_animated(info) and (info.width, info.height, info.frames) == (31, 20, 4)
    assert image_io.animation_loop(path) == loop
    again = list(image_io.load_frames(path))
    assert [duration for _, duration in again] == DURATIONS
    for (picture, _), frame in zip(again, frames, strict=True):
        np.testing.assert_array_equal(shown(picture), shown(frame))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["gif", "webp", "png", "jxl"])
def test_gray_animations(tmp_path, kind, channels):
    pixels = [pattern(channels=channels), pattern(channels=channels)[::-1].copy()]
    if channels == 2:
        for frame in pixels:
            frame[..., 1] = 255
            frame[:3, :, 1] = 0
    frames = [image_io.from_array(frame) for frame in pixels]
    options = SaveOptions(kind, lossless=True)
    image_io.write_animation([(frame, 40) for frame in frames], tmp_path / "a", 0, options, Metadata())
    again = [picture for picture, _ in image_io.load_frames(tmp_path / "a")]
    for picture, frame in zip(again, pixels, strict=True):
        gray = shown(picture)[..., 0]
        expected = frame[..., 0].astype(int) * (frame[..., 1] > 0 if channels == 2 else 1)
        assert np.abs(gray - expected).max() <= (16 if kind == "gif" and channels == 2 else 0)


def test_frames_made_by_pillow_with_disposal_are_whole(tmp_path):
    frames = [Image.new("RGBA", (40, 30), (0, 0, 0, 0)) for _ in range(3)]
    for index, frame in enumerate(frames):
        frame.paste((200, 30, 40, 255), (index * 10, 5, index * 10 + 8, 20))
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], disposal=2, duration=70, loop=0)
    for (picture, duration), frame in zip(image_io.load_frames(tmp_path / "a.gif"), frames, strict=True):
        assert duration == 70
        np.testing.assert_array_equal(picture.alpha, np.asarray(frame)[..., 3])


def test_an_animation_lying_on_its_side_is_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.fromarray(np.rot90(frame.pixels)) for frame in moving_square(False)]
    arguments = {"save_all": True, "append_images": frames[1:], "exif": exif, "lossless": True}
    frames[0].save(tmp_path / "a.webp", **arguments)
    first = next(image_io.load_frames(tmp_path / "a.webp"))[0]
    np.testing.assert_array_equal(first.pixels, moving_square(False)[0].pixels)


def test_the_still_in_front_of_an_apng_is_no_frame(tmp_path):
    still = Image.new("RGB", (31, 20), "white")
    frames = [Image.fromarray(frame.pixels) for frame in moving_square(False)]
    still.save(tmp_path / "a.png", save_all=True, append_images=frames, default_image=True, duration=50)
    assert next(image_io.load_frames(tmp_path / "a.png"))[0].pixels.max() < 255


def test_what_does_not_move_is_not_stored_again(tmp_path):
    still = pattern(200, 200)
    moving = still.copy()
    moving[:4, :4] = 0
    for kind in ("gif", "webp", "png", "jxl"):
        options, path = SaveOptions(kind, lossless=True), tmp_path / f"a.{kind}"
        image_io.write_animation([(Picture(still), 100)], path, 0, options, Metadata())
        alone = path.stat().st_size
        frames = [(Picture(still), 100), (Picture(moving), 100), (Picture(still), 100)]
        image_io.write_animation(frames, path, 0, options, Metadata())
        assert path.stat().st_size < alone * 1.1


def test_frames_are_taken_one_at_a_time(tmp_path):
    """Each frame is on disk before the next is asked for."""
    sizes = []

    def frames():
        for step in range(6):
            partial = list(tmp_path.glob(".*.part"))
            sizes.append(partial[0].stat().st_size if partial else 0)
            yield Picture(np.roll(pattern(200, 200), step, 0)), 100

    image_io.write_animation(frames(), tmp_path / "a.png", 0, SaveOptions("png"), Metadata())
    assert sizes[-1] > 300_000 and sizes == sorted(sizes)


def test_an_animation_keeps_its_profile_exif_and_settings(tmp_path):
    metadata = Metadata(icc_profile=SRGB, exif=exif_with_everything(), xmp=XMP)
    frames = [(frame, 100) for frame in moving_square(False)]
    image_io.write_animation(frames, tmp_path / "a", 0, SaveOptions("jxl", comment="{}"), metadata)
    kept = next(image_io.load_frames(tmp_path / "a"))[0].metadata
    assert kept.icc_profile == SRGB and read_comment(kept.exif) == "{}" and kept.xmp is not None
    for kind in ("webp", "png"):
        image_io.write_animation(frames, tmp_path / "a", 0, SaveOptions(kind, comment="{}"), metadata)
        with Image.open(tmp_path / "a") as image:
            assert image.info["icc_profile"] == SRGB and image.getexif()[0x010F] == "Camera maker"
            assert "xmp" in image.info or "XML:com.adobe.xmp" in image.info
    image_io.write_animation(frames, tmp_path / "a.gif", 0, SaveOptions("gif", comment="{}"), metadata)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["comment"] == b"{}"


def test_a_frame_that_cannot_be_made_leaves_nothing(tmp_path):
    def frames():
        yield Picture(pattern()), 100
        raise RuntimeError("stopped")

    for kind in ("gif", "webp", "png", "jxl"):
        with pytest.raises(RuntimeError, match="stopped"):
            image_io.write_animation(frames(), tmp_path / "a", 0, SaveOptions(kind), Metadata())
    assert list(tmp_path.iterdir()) == []


def test_formats_and_frames_that_do_not_go_together_are_refused(tmp_path):
    one = (Picture(pattern()), 100)
    cases = [
        ("jpeg", [one], "no animations"),
        ("png", [], "no frames"),
        ("gif", [one, (Picture(pattern(10)), 100)], "differ in size"),
        ("webp", [(Picture(np.zeros((2, 17_000, 3), np.uint8)), 100)], "16383"),
    ]
    for kind, frames, reason in cases:
        with pytest.raises(OutputError, match=reason):
            image_io.write_animation(frames, tmp_path / "a", 0, SaveOptions(kind), Metadata())
    assert list(tmp_path.iterdir()) == []
