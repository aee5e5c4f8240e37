"""What stands on the disk at the end: the wanted format in the wanted number of bytes under the wanted name, or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.imaging.file_size import shrink_to
from engine.processor import enhance_file, enhance_image_direct
from engine.storage.output_names import reserved
from engine.types import EnhanceSettings, JobControl
from tests.conftest import REPOSITORY
from tests.pictures import exif_with_everything
from utils import image_io
from utils.errors import InvalidSettingsError, JobCancelled, ModelNotFoundError, OutputError
from utils.files import temporary_for
from utils.metadata import parse_exif
from utils.writers import SaveOptions


@pytest.fixture
def enhance(manager, config, tmp_path):
    """Enhance a file into ``tmp_path``, by default with the tiny x4 network."""

    def run(source: Path, target: str, control=None, overwrite=False, **settings):
        wanted = EnhanceSettings.create(**{"model": "tiny-x4", **settings})
        return enhance_file(
            source, tmp_path / target, wanted, manager=manager, config=config, control=control, overwrite=overwrite
        )

    return run


@pytest.fixture
def picture(tmp_path, scene) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(scene).save(path)
    return path


@pytest.fixture
def moving(tmp_path, scene) -> Path:
    path = tmp_path / "in.gif"
    frames = [Image.fromarray(np.roll(scene, 10 * step, 1)) for step in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    return path


@pytest.fixture
def meanwhile(monkeypatch):
    """Have something done before or after a whole picture is written, as another thread might at that moment."""

    def apply(before=lambda: None, after=lambda: None):
        real = image_io.save

        def save(*arguments):
            before()
            real(*arguments)
            after()

        monkeypatch.setattr(image_io, "save", save)

    return apply


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# -- a bound on the file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["out.gif", "out.webp", "out.png"])
def test_an_animation_is_not_reduced_to_its_first_frame_by_a_bound(enhance, moving, tmp_path, target):
    with pytest.raises(InvalidSettingsError, match=r"'in\.gif' is an animation"):
        enhance(moving, target, max_megabytes=0.01)
    assert names(tmp_path) == ["in.gif"]


def test_the_first_frame_of_an_animation_can_be_bounded_where_nothing_else_is_kept(enhance, moving, tmp_path):
    result = enhance(moving, "out.jpg", max_megabytes=0.01)
    assert (tmp_path / "out.jpg").stat().st_size <= 10_000
    assert any("only the first frame is kept" in warning for warning in result.warnings)


def test_jobs_side_by_side_do_not_swap_pictures(tmp_path, meanwhile):
    """Their names agree in more characters than any shortened name would keep."""
    options, noise = SaveOptions("jpeg"), np.random.default_rng(3).integers(0, 100, (90, 120, 3), np.uint8)
    dark, bright = (tmp_path / f"{'scan of the same long title ' * 3}{number}.jpg" for number in (1, 2))
    for path, pixels in ((dark, noise), (bright, noise + 150)):
        image_io.save(image_io.from_array(pixels), path, options)
    others = [bright]
    meanwhile(after=lambda: others and shrink_to(others.pop(), 5000, options))
    shrink_to(dark, 5000, options)
    assert image_io.load(dark).pixels.mean() < 100 < 150 < image_io.load(bright).pixels.mean()
    assert max(dark.stat().st_size, bright.stat().st_size) <= 5000
    assert names(tmp_path) == sorted([dark.name, bright.name])


def test_cancelling_while_the_file_is_made_smaller_writes_nothing(enhance, picture, tmp_path, meanwhile):
    (tmp_path / "out.jpg").write_bytes(b"an older result")
    control = JobControl()
    meanwhile(after=lambda: control.cancel())
    with pytest.raises(JobCancelled):
        enhance(picture, "out.jpg", control, overwrite=True, max_megabytes=0.02)
    assert (tmp_path / "out.jpg").read_bytes() == b"an older result"
    control = JobControl()
    with pytest.raises(JobCancelled):
        enhance(picture, "new.jpg", control, max_megabytes=0.02)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "out.jpg"]


def test_a_bound_that_cannot_be_met_leaves_nothing(enhance, picture, tmp_path):
    with pytest.raises(OutputError, match=r"'out\.png' cannot be made as small as 10 bytes"):
        enhance(picture, "out.png", max_megabytes=0.00001)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_the_metrics_weigh_the_file_that_is_there(enhance, picture, tmp_path):
    result = enhance(picture, "out.jpg", max_megabytes=0.02)
    assert result.metrics["enhanced_bytes"] == (tmp_path / "out.jpg").stat().st_size <= 20_000


# -- large enough already --------------------------------------------------------------------------------------------

LARGE_ENOUGH = {"long_edge": 100, "skip_if_large_enough": True}


@pytest.mark.parametrize(
    ("target", "settings", "kind"),
    [
        ("out.jpg", {}, "JPEG"),
        ("out.webp", {}, "WEBP"),
        ("out.png", {"format": "tiff"}, "TIFF"),
        ("out.png", {"exif": "drop"}, "PNG"),
    ],
)
def test_a_large_picture_still_gets_the_wanted_form(enhance, picture, scene, tmp_path, target, settings, kind):
    result = enhance(picture, target, **LARGE_ENOUGH, **settings)
    assert result.skipped and result.backend == "none" and result.output_size == (120, 90)
    assert any("written anew at its own size" in warning for warning in result.warnings)
    with Image.open(tmp_path / target) as written:
        assert written.format == kind and written.size == (120, 90)
    difference = np.abs(image_io.load(tmp_path / target).pixels.astype(int) - scene)
    assert difference.max() == 0 if kind in ("TIFF", "PNG") else difference.mean() < 5


def test_a_large_picture_loses_its_place_where_that_was_asked_for(enhance, scene, tmp_path):
    source = tmp_path / "in.jpg"
    Image.fromarray(scene).save(source, exif=b"Exif\0\0" + exif_with_everything())

    def place(name: str) -> dict:
        return parse_exif(image_io.load(tmp_path / name).metadata.exif).get_ifd(0x8825)

    enhance(source, "copied.jpg", long_edge=90, skip_if_large_enough=True)
    enhance(source, "clean.jpg", long_edge=90, skip_if_large_enough=True, exif="no-location")
    assert place("copied.jpg") and not place("clean.jpg")
    assert (tmp_path / "copied.jpg").read_bytes() == source.read_bytes()


def test_a_large_picture_keeps_to_the_bound(enhance, picture, tmp_path):
    result = enhance(picture, "small.png", **LARGE_ENOUGH, max_megabytes=0.005)
    assert (tmp_path / "small.png").stat().st_size <= 5000 and result.skipped
    enhance(picture, "same.png", **LARGE_ENOUGH, max_megabytes=(picture.stat().st_size + 1) / 1e6)
    assert (tmp_path / "same.png").read_bytes() == picture.read_bytes()


def test_a_large_animation_within_the_bound_is_copied(enhance, moving, tmp_path):
    enhance(moving, "out.gif", **LARGE_ENOUGH, max_megabytes=10)
    assert (tmp_path / "out.gif").read_bytes() == moving.read_bytes()


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.bmp", "out.heic", "out.jp2"])
def test_a_name_of_another_format_is_refused_not_filled_with_png(enhance, picture, tmp_path, name):
    with pytest.raises(InvalidSettingsError, match=rf"'{name}' cannot be written.*\.png, \.jpg"):
        enhance(picture, name)
    assert names(tmp_path) == ["in.png"]
    enhance(picture, name, format="jpeg")  # said in so many words
    enhance(picture, "without a suffix")
    assert image_io.probe(tmp_path / "without a suffix").format == "png"


def test_calls_at_the_same_time_get_names_of_their_own(manager, config, meanwhile):
    dark, bright = np.full((20, 30, 3), 20, np.uint8), np.full((20, 30, 3), 230, np.uint8)

    def call(pixels):
        return enhance_image_direct(pixels, "lanczos", 2, model_manager=manager, config=config)

    found, others = [], [bright]
    meanwhile(before=lambda: others and found.append(call(others.pop())))
    found.append(call(dark))
    levels = [
        (image_io.load(source).pixels.mean(), image_io.load(result).pixels.mean()) for result, source, _, _ in found
    ]
    assert levels == [(230, 230), (20, 20)]


def test_pictures_of_one_name_from_two_folders_get_names_of_their_own(manager, config, tmp_path):
    dark, bright = tmp_path / "a" / "in.png", tmp_path / "b" / "in.png"
    for path, level in ((dark, 20), (bright, 230)):
        path.parent.mkdir()
        Image.new("RGB", (30, 20), (level, level, level)).save(path)
    found, others = [], [bright]

    def call(path, progress=None):
        return enhance_image_direct(path, "lanczos", 2, model_manager=manager, config=config, progress=progress)[0]

    found.append(call(dark, lambda step: others and found.append(call(others.pop()))))
    assert [image_io.load(path).pixels.mean() for path in found] == [230, 20]


def test_a_call_that_fails_leaves_no_file(manager, config, scene):
    with pytest.raises(ModelNotFoundError):
        enhance_image_direct(scene, "no-such-model", model_manager=manager, config=config)
    assert names(config.output_dir) == []


def test_a_reserved_name_is_nobody_elses(tmp_path):
    wanted = tmp_path / "new" / "a.png"
    with reserved(wanted) as first, reserved(wanted) as second:
        assert (first.name, second.name) == ("a.png", "a-2.png")
        second.touch()
    with reserved(wanted) as third, reserved(wanted) as fourth:
        assert (third.name, fourth.name) == ("a.png", "a-3.png"), "what was not used is free again"
    assert names(wanted.parent) == ["a-2.png"], "nothing is left behind"
    (tmp_path / "file").touch()
    with pytest.raises(OutputError), reserved(tmp_path / "file" / "a.png"):
        pass


def test_a_name_as_long_as_names_can_be_is_reserved(tmp_path):
    wanted = tmp_path / f"{'ä' * 125}.png"
    with reserved(wanted) as path:
        assert path == wanted


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Unix has this signal")
def test_a_process_that_is_killed_leaves_no_name_taken_and_no_file(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from engine.storage.output_names import reserved\n"
        "with reserved(Path(sys.argv[1])) as path: print(path.name, flush=True); time.sleep(300)\n"
    )
    wanted = tmp_path / "a.png"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(wanted)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as other:
        assert other.stdout.readline().strip() == "a.png"
        with reserved(wanted) as beside:
            assert beside.name == "a-2.png"
        other.kill()
    half = temporary_for(wanted)
    half.with_name(half.name.replace(f"-{os.getpid()}-", f"-{other.pid}-")).touch()
    with reserved(tmp_path / "another.png"):
        assert not wanted.exists() and len(names(tmp_path)) == 1, "the killed one's mark and half a result are swept"
    with reserved(wanted) as again:
        assert again == wanted


# -- several pictures in a file --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["tiny-x4", "lanczos"])
def test_the_progress_of_an_animation_is_that_of_all_its_frames(enhance, moving, model):
    steps = []
    enhance(moving, "out.gif", JobControl(on_progress=steps.append), model=model, scale=2, tile=48)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) >= 3
    assert fractions[0] <= 1 / 3 and steps[-1].done == steps[-1].total and steps[-1].eta_seconds == 0


def test_time_left_is_that_of_all_parts():
    from time import monotonic

    from engine.types import Progress

    steps = []
    whole = JobControl(on_progress=steps.append)
    begun = monotonic() - 30
    whole.one_of(1, 4, begun).report(Progress("Enhancing", 1, 2, 0.5, eta_seconds=10))
    assert (steps[0].done, steps[0].total, steps[0].fraction) == (3, 8, 0.375)
    assert 50 <= steps[0].eta_seconds <= (monotonic() - begun) * 5 / 3
