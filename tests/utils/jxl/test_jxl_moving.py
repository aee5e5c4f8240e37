"""Animated JPEG XL: every frame, its time and the loops, of this program's files and of other encoders'."""

from __future__ import annotations

import base64

import imagecodecs
import numpy as np
import pytest

from tests import pictures
from utils import image_io
from utils.errors import DamagedImageError, ImageTooLargeError, InvalidImageError
from utils.image_io import ImageLimits, SaveOptions
from utils.jxl import boxes, decoder, encoder, moving
from utils.jxl.frames import frames_of
from utils.picture import Metadata, Picture

FOREIGN = base64.b64decode(
    "/woYAFYKBpBQXBIKAQAAlAEAOABYAFhKEsno+RPx3m/NTEwaNA1GN5o+sPpi9EPTgtUflzaw2sKxB9j0CMeO8Bqg10IKrGiMQYwxkjFGRcYoMUZF"
    "xhgbY+TJIIEQppLH/+d5/ln2p5Wm4CAt0NXe7HooTRIAPuDDBEQRGFACiAACNEAEEAA5dAkAgAqVUcYNXs71fPmhw2LaxnWGttq2sCQRSoEUO/g+"
    "5aA3IABwMQMppMC5VRQZY4yRMUYCD1sOAP0t+M+WPfVbElwCqwLAx28ACgEAAIABADgAWABYShLJ6PkT8d5vzUxMGjQNRjeaPrD6YvRD04LVH5c2"
    "sNrCsQfY9AjHjvAaoNdCCmxojCIZY4yRMUbGWCoyBidJnjRRCG75zGcAGN0gu98PbyYFDjFjbc7vCnAz4MNEAABACwKYPgAAQDAAqAA5dAkAgAqV"
    "UcYNXs71fPmhw2LaxnWGttq2sCQRSiGJgwLcAQAIgACoJAEKAQAAHAMAOABYAFhKEsno+RPx3m/NTEwaNA1GN5o+sPpi9EPTgtUflzaw2sKxB9j0"
    "CMeO8Bqg10IKtNwYRTLGGCNjjIyxVGQMYowkYwzuZVQsIxsjpSjFGHlSRKEi4Ns1Mf///4BR////dT9SVVWpqqoyGmMn9mEn9mHBjwEAAGArBgAA"
    "gEXKZY7jQCzfcnZlAAAAYNwDsRN7n5BiJ3anp8GE9sKE9sIWJlVVFXqvw8NDrHqY0F6FFBPkKYRFxoAZpUyCPAXmzxgwSZCn4MNEoABACwIQKgwA"
    "qAA5dAkAgAqVUcYNXs71fPmhw2LaxnWGttq2sCQRSiGJgwLcAQAIgACoJAE="
)
"""Three frames of 300 x 4 pixels by cjxl 0.7: low-frequency frames between them, passes, parts in another order."""
SQUARE = (0, 0, 60, 40)


def film(*frames: tuple[np.ndarray, tuple[int, int, int, int], int], ticks: int = 1000, loops: int = 0) -> bytes:
    """A codestream of frames on a canvas of the first one's size: pixels, box, ticks."""
    stills = [encoder.still(pixels, 100, True) for pixels, _, _ in frames]
    canvas = frames[0][0].shape[1], frames[0][0].shape[0]
    parts = [
        moving.frame(still, box, canvas, duration, last=still is stills[-1])
        for still, (_, box, duration) in zip(stills, frames, strict=True)
    ]
    return moving.head(stills[0], 8, None, ticks, loops) + b"".join(parts)


def plain(value: int, width: int = 60, height: int = 40) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def read(path, data: bytes, limits: ImageLimits | None = None) -> list[tuple[Picture, int]]:
    path.write_bytes(data)
    return list(image_io.load_frames(path, limits))


def test_another_encoders_frames_come_with_their_time(tmp_path):
    found = read(tmp_path / "in.jxl", FOREIGN)
    assert [duration for _, duration in found] == [40, 500, 80]
    expected = imagecodecs.jpegxl_decode(FOREIGN)
    for (picture, _), frame in zip(found, expected, strict=True):
        np.testing.assert_array_equal(picture.pixels, frame)
        assert picture.metadata.warnings == ()
    info = image_io.probe(tmp_path / "in.jxl")
    assert image_io.is_animated(info) and info.frames == 3
    file = decoder.opened(FOREIGN)
    stored = frames_of(file.boxes.codestream, file.header, file.frames, 9)
    assert [frame.shown for frame in stored] == [False, True] * 3 and stored[-1].end == len(FOREIGN)


def test_imagecodecs_frames_last_a_tenth_of_a_second(tmp_path):
    frames = np.stack([pictures.pattern(), 255 - pictures.pattern()])
    found = read(tmp_path / "in.jxl", bytes(imagecodecs.jpegxl_encode(frames, lossless=True)))
    assert [duration for _, duration in found] == [100, 100]
    np.testing.assert_array_equal([picture.pixels for picture, _ in found], frames)
    np.testing.assert_array_equal(image_io.load(tmp_path / "in.jxl").pixels, frames[0])


def test_deep_frames_with_transparency_keep_both(tmp_path):
    frames = np.random.default_rng(1).integers(0, 65536, (2, 20, 30, 4), dtype=np.uint16)
    data = bytes(imagecodecs.jpegxl_encode(frames, lossless=True))
    found = [picture for picture, _ in read(tmp_path / "in.jxl", data)]
    assert [picture.bit_depth for picture in found] == [16, 16]
    np.testing.assert_array_equal([picture.alpha for picture in found], frames[..., 3])


def test_what_is_laid_under_a_frame_is_none(tmp_path):
    data = film((plain(10), SQUARE, 0), (plain(200, 10, 10), (5, 6, 15, 16), 70), (plain(90, 60, 5), (0, 0, 60, 5), 30))
    found = read(tmp_path / "in.jxl", data)
    assert [duration for _, duration in found] == [70, 30]
    seen = [[int(picture.pixels[y, x, 0]) for y, x in ((2, 2), (8, 8), (30, 30))] for picture, _ in found]
    assert seen == [[10, 200, 10], [90, 200, 10]]


def test_roundings_of_the_time_do_not_add_up(tmp_path):
    """Twenty frames of a thirtieth of a second are 0.667 seconds, not 0.66."""
    whole = [(plain(value, 8, 8), (0, 0, 8, 8), 1) for value in range(20)]
    durations = [duration for _, duration in read(tmp_path / "in.jxl", film(*whole, ticks=30))]
    assert set(durations) == {33, 34} and sum(durations) == 667


@pytest.mark.parametrize("quality", [95, 80, 30])
@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossy_frames_are_near_what_went_in(tmp_path, channels, profile, quality):
    """At 80 libjxl writes the plainest frame headers, at the others it does not."""
    icc = None
    if profile:
        kind = {"gamma": 2.2, "whitepoint": (0.3127, 0.329, 1.0)} if channels == 1 else {}
        icc = bytes(imagecodecs.cms_profile("gray" if channels == 1 else "adobergb", **kind))
    y, x = np.mgrid[0:64, 0:90]
    base = np.stack([x * 2, y * 3, x + y, 255 - x], axis=-1).astype(np.uint8)[..., :channels]
    second = base.copy()
    second[10:40, 20:70] = 255 - second[10:40, 20:70]
    frames = [image_io.from_array(frame) for frame in (base, second)]
    image_io.write_animation(
        [(frame, 40) for frame in frames], tmp_path / "a.jxl", 2, SaveOptions("jxl", quality), Metadata(icc_profile=icc)
    )
    found = list(image_io.load_frames(tmp_path / "a.jxl"))
    assert image_io.animation_loop(tmp_path / "a.jxl") == 2 and [duration for _, duration in found] == [40, 40]
    for (picture, _), frame in zip(found, frames, strict=True):
        assert picture.metadata.icc_profile == icc
        off = np.abs(picture.interleaved().astype(int) - frame.interleaved())
        assert off.mean() < (4 if quality == 30 else 2)


def test_limits_hold_before_anything_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "in.jxl"
    path.write_bytes(film(*[(plain(value), SQUARE, 1) for value in range(5)]))
    monkeypatch.setattr(decoder, "decode", lambda *_: pytest.fail("it was decoded"))
    for limits in (ImageLimits(max_frames=4), ImageLimits(max_animation_pixels=60 * 40 * 4)):
        with pytest.raises(ImageTooLargeError):
            image_io.probe(path, limits)
        with pytest.raises(ImageTooLargeError):
            next(image_io.load_frames(path, limits))
    assert image_io.probe(path, ImageLimits(max_frames=5)).frames == 5


def test_one_that_ends_within_a_frame_is_refused(tmp_path):
    path = tmp_path / "in.jxl"
    path.write_bytes(film(*[(plain(value), SQUARE, 1) for value in range(3)])[:-5])
    with pytest.raises(DamagedImageError, match="its last frame is cut off"):
        image_io.probe(path)
    path.write_bytes(film((plain(1), SQUARE, 5), (plain(2), SQUARE, 5))[:40])
    with pytest.raises(InvalidImageError):
        image_io.probe(path, ImageLimits(salvage=True))


def test_what_cannot_be_told_gives_the_first_frame_with_a_note(tmp_path):
    """Pages that are shown until a person goes on have no time."""
    path = tmp_path / "in.jxl"
    path.write_bytes(film((plain(7), SQUARE, 2**32 - 1), (plain(8), SQUARE, 2**32 - 1)))
    found = image_io.load(path)
    assert int(found.pixels[0, 0, 0]) == 7
    assert found.metadata.warnings == ("'in.jxl' is an animation: only its first frame is read.",)
    assert not image_io.is_animated(image_io.probe(path))


def test_metadata_stand_before_a_codestream_that_goes_on_to_the_end(tmp_path):
    metadata = Metadata(exif=pictures.exif_with_everything(), xmp=pictures.XMP)
    frames = [(Picture(plain(value)), 20) for value in (1, 2)]
    image_io.write_animation(frames, tmp_path / "a.jxl", 0, SaveOptions("jxl", lossless=True), metadata)
    parts = boxes.unpacked((tmp_path / "a.jxl").read_bytes())
    assert parts.exif is not None and parts.xmp is not None
    assert imagecodecs.jpegxl_decode(parts.codestream).shape == (2, 40, 60, 3)
