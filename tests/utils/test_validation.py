"""What comes from outside is either accepted or answered with a sentence; nothing raises."""

import os
import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.clips import make_clip
from utils.validation import (
    sanitize_filename,
    validate_filename,
    validate_image_file,
    validate_inside,
    validate_model_name,
    validate_pil_image,
    validate_scale,
    validate_tile_size,
    validate_video_file,
)

anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.text()))
paths = st.text(st.one_of(st.sampled_from("./\\~: "), st.characters()), max_size=300)


@dataclass(frozen=True)
class VideoConfig:
    max_video_mb: float = 2000
    max_video_minutes: float = 600
    max_image_megapixels: float = 200


def refused(verdict) -> bool:
    valid, message = verdict
    assert valid == (message == "")
    return not valid


@given(anything)
def test_every_check_answers_whatever_it_is_given(value):
    for check in (validate_scale, validate_tile_size, validate_model_name, validate_pil_image, validate_filename):
        refused(check(value))


@given(paths)
@settings(max_examples=300)
def test_a_cleaned_name_is_a_plain_short_name(name):
    clean = sanitize_filename(name)
    assert clean and clean not in (".", "..")
    assert not set(clean) & set('/\\:*?"<>|\0')
    assert len(clean.encode()) <= 201
    assert all(unicodedata.category(character)[0] != "C" for character in clean)
    assert clean == clean.strip(" .")
    assert sanitize_filename(clean) == clean
    assert not refused(validate_filename(clean))


@given(paths)
def test_a_cleaned_name_can_be_written_into_a_folder(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    path = folder / sanitize_filename(name)
    path.write_bytes(b"x")
    assert os.listdir(folder) and path.resolve().parent == folder.resolve()
    path.unlink()


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("a\u2215..\u2215b.png", "b.png"),
        ("CON", "_CON"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("LPT¹.txt", "_LPT¹.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("ze\u200bro.png", "zero.png"),
        ("line\nbreak\0.png", "linebreak.png"),
        ("what?*<>|.png", "what_____.png"),
        ("dots...", "dots"),
        (". .", "picture"),
        ("", "picture"),
        ("e\u0301.png", "\u00e9.png"),
        ("日本語 写真.webp", "日本語 写真.webp"),
    ],
)
def test_names_become_what_a_person_would_expect(name, clean):
    assert sanitize_filename(name) == clean
    assert refused(validate_filename(name)) == (name != clean)


def test_long_names_keep_their_suffix():
    assert sanitize_filename("ü" * 400 + ".jpeg").endswith("ü.jpeg")
    assert len(sanitize_filename("ü" * 400 + ".jpeg").encode()) <= 200


@pytest.mark.parametrize("scale", [1, 2.5, 16, "4"])
def test_scales_that_work(scale):
    assert not refused(validate_scale(scale))


@pytest.mark.parametrize("scale", [0, 0.99, 16.1, -2, "four", "", None, True, float("nan"), float("inf"), [2]])
def test_scales_that_do_not(scale):
    assert refused(validate_scale(scale))


@pytest.mark.parametrize(("tile", "valid"), [(0, True), (32, True), (16384, True), ("256", True), (31, False)])
def test_tiles(tile, valid):
    assert refused(validate_tile_size(tile)) != valid
    assert refused(validate_tile_size(128.5))


def test_model_names():
    known = ["RealESRGAN_x4plus", "my model"]
    for name in ("auto", "lanczos", *known):
        assert not refused(validate_model_name(name, known))
    for name in ("../weights/x", "a\\b", "", " ", ".hidden", "x" * 300, "a\u202eb", None, "unknown"):
        assert refused(validate_model_name(name, known))


def test_pictures(tmp_path, config):
    Image.new("RGB", (20, 10)).save(tmp_path / "good.png")
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:20])
    assert not refused(validate_image_file(tmp_path / "good.png", config))
    for name in ("text.png", "cut.png", "missing.png", "null\0.png", "."):
        assert refused(validate_image_file(tmp_path / name, config))
    assert not refused(validate_pil_image(Image.new("CMYK", (3, 3)), config))
    assert refused(validate_pil_image(Image.new("1", (20_000, 20_000)), config))


def test_videos(tmp_path):
    make_clip(tmp_path / "good.mp4", frames=2, audio=None)
    (tmp_path / "text.mp4").write_text("not a video")
    assert not refused(validate_video_file(tmp_path / "good.mp4"))
    for name in ("text.mp4", "missing.mp4", "null\0.mp4", "."):
        assert refused(validate_video_file(tmp_path / name))
    assert refused(validate_video_file(None))
    valid, reason = validate_video_file(tmp_path / "good.mp4", VideoConfig(max_video_minutes=0.0001))
    assert not valid and "minutes" in reason


def test_objects_that_are_no_pictures(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-1000])
    for thing in (None, "a path", Image.new("L", (0, 5)), Image.open(tmp_path / "cut.png")):
        assert refused(validate_pil_image(thing))


def test_links_and_dots_that_lead_out_are_seen(tmp_path):
    folder, secret = tmp_path / "outputs", tmp_path / "secret.txt"
    (folder / "sub").mkdir(parents=True)
    secret.write_text("")
    (folder / "fine.png").write_text("")
    assert not refused(validate_inside(folder / "sub" / ".." / "fine.png", folder))
    assert refused(validate_inside(folder / ".." / "secret.txt", folder))
    assert refused(validate_inside(tmp_path / "outputs-of-another" / "x.png", folder))
    if hasattr(os, "symlink"):
        (folder / "link.png").symlink_to(secret)
        (folder / "loop").symlink_to(folder / "loop")
        assert refused(validate_inside(folder / "link.png", folder))
        refused(validate_inside(folder / "loop" / "x", folder))
