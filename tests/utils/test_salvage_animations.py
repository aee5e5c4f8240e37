"""Animations that are cut off: the frames that are whole come out, and what is missing is said; only where asked for."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from utils import image_io
from utils.errors import DamagedImageError, InvalidImageError
from utils.picture import Metadata, Picture
from utils.salvage import moving
from utils.writers import SaveOptions

ASKED = image_io.ImageLimits(salvage=True)
COUNT = 6
KINDS = ("gif", "png", "webp", "jxl")


def scenes() -> list[np.ndarray]:
    """Noise in few colours, so that a GIF holds it exactly, of which every frame changes a part."""
    chance = np.random.default_rng(0)
    colors = chance.integers(0, 256, (16, 3), dtype=np.uint8)
    base = colors[chance.integers(0, 16, (30, 40))]
    frames = []
    for step in range(COUNT):
        frame = base.copy()
        frame[5:20, 4 * step : 4 * step + 12] = colors[chance.integers(0, 16, (15, 12))]
        frames.append(frame)
    return frames


def written(path: Path, kind: str) -> bytes:
    frames = [(Picture(frame), 70) for frame in scenes()]
    image_io.write_animation(frames, path, 3, SaveOptions(kind, lossless=True), Metadata())
    return path.read_bytes()


def starts(path: Path, kind: str) -> list[int]:
    """Where each frame begins, and the last one ends: the sizes of files of one frame more each."""
    sizes = []
    for count in range(1, COUNT + 1):
        frames = [(Picture(frame), 70) for frame in scenes()[:count]]
        image_io.write_animation(frames, path, 3, SaveOptions(kind, lossless=True), Metadata())
        sizes.append(path.stat().st_size)
    return sizes


@pytest.mark.parametrize("kept", [1, 3, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_the_frames_before_the_cut_come_out(tmp_path, kind, kept):
    sizes = starts(tmp_path / "other", kind)
    path = tmp_path / f"in.{kind}"
    path.write_bytes(written(path, kind)[: (sizes[kept - 1] + sizes[kept]) // 2])
    with pytest.raises(DamagedImageError, match="salvage"):
        list(image_io.load_frames(path))
    assert image_io.probe(path, ASKED).frames >= kept
    found = list(image_io.load_frames(path, ASKED))
    assert [duration for _, duration in found] == [70] * kept
    assert image_io.animation_loop(path, damaged=True) == 3
    whole = moving.mended(path.read_bytes())
    assert whole is not None and whole.frames == kept
    if kind != "jxl":  # of which the file stays as it is
        with Image.open(io.BytesIO(whole.data)) as image:
            assert image.n_frames == kept
    for (picture, _), frame in zip(found, scenes(), strict=False):
        np.testing.assert_array_equal(picture.pixels, frame)
        metadata = picture.metadata
        if kind == "png":  # the one that says how many there are
            said = f"only the first {kept} of its {COUNT} frames can be decoded; missing: {COUNT - kept}."
            assert metadata.missing_percent == pytest.approx(100 * (COUNT - kept) / COUNT, abs=0.01)
        else:
            said = f"only its first {kept} frames can be decoded"
            assert metadata.missing_percent == pytest.approx(100 / (kept + 1), abs=0.01)
        assert said in metadata.warnings[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_animation_is_read_as_ever(tmp_path, kind):
    path = tmp_path / f"in.{kind}"
    data = written(path, kind)
    plain, asked = list(image_io.load_frames(path)), list(image_io.load_frames(path, ASKED))
    assert len(plain) == len(asked) == COUNT and moving.mended(data) is None
    for (first, _), (second, _) in zip(plain, asked, strict=True):
        np.testing.assert_array_equal(first.pixels, second.pixels)
        assert second.metadata.missing_percent is None and second.metadata.warnings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_where_no_frame_is_whole_it_is_refused(tmp_path, kind):
    path = tmp_path / f"in.{kind}"
    path.write_bytes(written(path, kind)[: starts(tmp_path / "other", kind)[0] // 2])
    for limits in (image_io.ImageLimits(), ASKED):
        with pytest.raises(InvalidImageError) as caught:
            list(image_io.load_frames(path, limits))
        assert not isinstance(caught.value, DamagedImageError)


def test_a_damaged_frame_ends_it_though_others_follow(tmp_path):
    """They change what the damaged one would have left."""
    path = tmp_path / "in.png"
    data = bytearray(written(path, "png"))
    places = [place for place in range(len(data)) if data[place : place + 4] == b"fdAT"]
    data[places[2] + 20] ^= 0xFF
    path.write_bytes(bytes(data))
    found = list(image_io.load_frames(path, ASKED))
    assert len(found) == 3 and "only the first 3 of its 6 frames" in found[0][0].metadata.warnings[-1]


def chunk_places(data: bytes, kind: bytes) -> list[tuple[int, int]]:
    """Of an APNG: where the body of each chunk of a kind starts and ends; its checksum follows."""
    found, place = [], 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == kind:
            found.append((place + 8, place + 8 + length))
        place += 12 + length
    return found


@pytest.mark.parametrize(("kind", "number"), [(b"IDAT", 0), (b"fdAT", 0), (b"fdAT", 3), (b"fdAT", -1)])
def test_a_wrong_checksum_around_right_pixels_costs_no_frame(tmp_path, kind, number):
    """No decoder looks at it; the pixels have one of their own, which is right."""
    path = tmp_path / "in.png"
    data = bytearray(written(path, "png"))
    data[chunk_places(data, kind)[number][1]] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedImageError, match=rf"checksum of a chunk {kind.decode()}.*salvage"):
        list(image_io.load_frames(path))
    with pytest.raises(DamagedImageError):
        image_io.load(path)
    found = list(image_io.load_frames(path, ASKED))
    assert len(found) == COUNT
    for (picture, duration), frame in zip(found, scenes(), strict=True):
        np.testing.assert_array_equal(picture.pixels, frame)
        assert duration == 70 and picture.metadata.missing_percent == 0
        assert "all of its pixels could be decoded" in picture.metadata.warnings[-1]
    np.testing.assert_array_equal(image_io.load(path, ASKED).pixels, scenes()[0])


@pytest.mark.parametrize("kind", [b"fcTL", b"fdAT"])
def test_a_frame_that_is_not_what_its_checksum_says_ends_it(tmp_path, kind):
    """How long it is shown, which no decoder would notice, or its pixels."""
    path = tmp_path / "in.png"
    data = bytearray(written(path, "png"))
    start, end = chunk_places(data, kind)[3 if kind == b"fcTL" else 2]  # of the fourth frame
    data[start + 21 if kind == b"fcTL" else end - 12] ^= 0x10
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedImageError):
        list(image_io.load_frames(path))
    found = list(image_io.load_frames(path, ASKED))
    assert len(found) == 3 and "only the first 3 of its 6 frames" in found[0][0].metadata.warnings[-1]
    np.testing.assert_array_equal(found[2][0].pixels, scenes()[2])


def test_the_still_in_front_of_an_apng_is_no_frame(tmp_path):
    frames = [Image.fromarray(frame) for frame in scenes()]
    path = tmp_path / "in.png"
    still = Image.new("RGB", (40, 30), "white")
    still.save(path, save_all=True, append_images=frames, default_image=True, duration=50)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    found = list(image_io.load_frames(path, ASKED))
    assert 0 < len(found) < COUNT and f"the first {len(found)} of its {COUNT}" in found[0][0].metadata.warnings[-1]
    np.testing.assert_array_equal(found[0][0].pixels, scenes()[0])


def test_a_gif_without_its_last_byte_lacks_nothing(tmp_path):
    path = tmp_path / "in.gif"
    path.write_bytes(written(path, "gif")[:-1])
    found = list(image_io.load_frames(path, ASKED))
    assert len(found) == COUNT and found[0][0].metadata.missing_percent is None


def test_the_first_frame_as_a_still_says_so_too(tmp_path):
    path = tmp_path / "in.webp"
    path.write_bytes(written(path, "webp")[:-200])
    with pytest.raises(DamagedImageError):
        image_io.load(path)
    picture = image_io.load(path, ASKED)
    np.testing.assert_array_equal(picture.pixels, scenes()[0])
    assert "is cut off" in picture.metadata.warnings[-1]


def test_an_endless_frame_is_not_looked_through_to_its_end(monkeypatch):
    """A frame that inflates to gigabytes: what is enough to judge it is."""
    monkeypatch.setattr(moving, "_MOST_INFLATED", 2**20)
    stream = io.BytesIO()
    frames = [Image.new("RGB", (2000, 2000)), Image.new("RGB", (2000, 2000), "red")]
    frames[0].save(stream, "PNG", save_all=True, append_images=frames[1:])
    found = moving.mended(stream.getvalue()[:-20])
    assert found is not None and found.frames == 1
