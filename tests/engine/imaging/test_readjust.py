"""A result's fidelity moved afterwards: the same pixels as a run with that fidelity, whatever kind of result it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.faces.adjust import adjust_faces, adjustable
from engine.imaging.readjust import readjust_fidelity
from engine.processor import apply_fidelity, enhance_file
from engine.types import EnhanceSettings
from tests.conftest import Limits
from tests.engine.faces.conftest import face_at
from tests.engine.test_face_restorer import SPOT, brighter
from tests.pictures import portrait
from utils import image_io
from utils.errors import InvalidSettingsError
from utils.writers import SaveOptions

pytest_plugins = ["tests.engine.faces.conftest"]


@dataclass(frozen=True)
class WithCache(Limits):
    cache_dir: Path = Path()


@pytest.fixture
def config(tmp_path):
    return WithCache(tmp_path / "outputs", cache_dir=tmp_path / "cache")


@pytest.fixture
def run(manager, config, tmp_path):
    """Enhance ``in.png``; returns the settings and the output file."""

    def start(pixels, target, manager=manager, **settings):
        image_io.save(image_io.from_array(pixels), tmp_path / "in.png", SaveOptions("png"))
        chosen = EnhanceSettings.create(**{"model": "tiny-x4", "quality": 100, "lossless": True, **settings})
        enhance_file(tmp_path / "in.png", tmp_path / target, chosen, manager=manager, config=config)
        return chosen, tmp_path / target

    return start


@pytest.fixture
def move(config, tmp_path):
    """Move a result of ``in.png``; returns the new file."""

    def to(settings, result, fidelity, target=None):
        output = tmp_path / (target or f"moved-{fidelity}-{result.name}")
        readjust_fidelity(result, tmp_path / "in.png", settings, fidelity, output, config=config)
        return output

    return to


def difference(one: Path, other: Path) -> int:
    """The largest, in steps of 255, transparency included."""
    first, second = (image_io.load(path).interleaved().astype(int) for path in (one, other))
    return int(np.abs(first - second).max())


def cut_out(scene: np.ndarray) -> np.ndarray:
    """The scene as a disc; what is hidden around it is a colour that must never be seen."""
    y, x = np.mgrid[0 : scene.shape[0], 0 : scene.shape[1]]
    alpha = np.clip((35 - np.hypot(x - 60, y - 45)) * 90 + 128, 0, 255).astype(np.uint8)
    hidden = np.where(alpha[..., None] > 0, scene, np.array([255, 0, 255], np.uint8))
    return np.dstack([hidden, alpha])


def test_colours_hidden_under_transparency_stay_hidden(run, move, scene, tmp_path):
    picture = cut_out(scene)
    settings, first = run(picture, "first.png")
    wanted = run(picture, "wanted.png", fidelity=0.5)[1]
    assert difference(move(settings, first, 0.5), wanted) <= 1
    blended = apply_fidelity(image_io.load(first), image_io.from_array(picture), 0.5)
    assert np.abs(blended.interleaved().astype(int) - image_io.load(wanted).interleaved()).max() <= 1


@pytest.mark.parametrize("fit", ["pad", "fill", "stretch"])
def test_every_fit_is_blended_where_the_picture_is(run, move, scene, fit):
    goal = {"width": 200, "height": 200, "fit": fit}
    settings, first = run(scene, "first.png", **goal)
    wanted = run(scene, "wanted.png", fidelity=0.5, **goal)[1]
    assert difference(move(settings, first, 0.5), wanted) <= 1
    blended = apply_fidelity(image_io.load(first), image_io.from_array(scene), 0.5, settings)
    assert np.abs(blended.pixels.astype(int) - image_io.load(wanted).pixels).max() <= 1


@pytest.mark.parametrize("target", ["first.webp", "first.avif", "first.jpg"])
@pytest.mark.parametrize("kind", ["gray", "gray with alpha", "alpha"])
def test_formats_that_change_the_channels(run, move, scene, kind, target):
    """WebP makes gray coloured, AVIF where it is transparent; JPEG puts what is transparent on white."""
    picture = cut_out(scene)
    picture = {"gray": picture[..., :1], "gray with alpha": picture[..., [0, 3]], "alpha": picture}[kind]
    settings, first = run(picture, target)
    wanted = run(picture, f"wanted-{target}", fidelity=0.5)[1]
    moved = image_io.load(move(settings, first, 0.5)).interleaved().astype(int)
    apart = np.abs(moved - image_io.load(wanted).interleaved())
    # Twice through a lossy encoder; one that keeps every pixel is told apart by one step.
    assert apart.max() <= 1 if target == "first.webp" else apart.mean() < 1.5


def test_pictures_that_do_not_belong_together_are_refused(run, move, scene, tmp_path):
    settings, gray = run(scene[..., :1], "gray.png")
    image_io.save(image_io.from_array(scene), tmp_path / "in.png", SaveOptions("png"))
    with pytest.raises(InvalidSettingsError, match="channels"):
        move(settings, gray, 0.5)


class TestFaces:
    """A run blends first and pastes restored faces then: they are never blended away."""

    WITH = {"face_enhance": True, "face_strength": 0.7}

    @pytest.fixture
    def restored(self, run, stand_in, known):
        """Run with restored faces, ``brighter``."""
        known(face_at(*SPOT))
        manager, picture = stand_in(brighter), portrait(300, 300, [SPOT])
        return lambda target, **how: run(picture, target, manager=manager, **{"scale": 2, **self.WITH, **how})

    @pytest.mark.parametrize("goal", [{}, {"scale": None, "width": 500, "height": 700, "fit": "pad"}])
    @pytest.mark.parametrize(("first", "wanted"), [(0.0, 0.5), (0.15, 0.0), (0.15, 1.0)])
    def test_they_are_as_in_a_run_with_that_fidelity(self, run, stand_in, known, move, first, wanted, goal):
        known(face_at(*SPOT))
        manager, picture = stand_in(brighter), portrait(300, 300, [SPOT])
        how = {"manager": manager, "scale": 2, **self.WITH, **goal}
        settings, before = run(picture, "before.png", fidelity=first, **how)
        anew = run(picture, "anew.png", fidelity=wanted, **how)[1]
        assert difference(before, anew) > 3
        assert difference(move(settings, before, wanted), anew) <= 2

    def test_they_can_be_adjusted_and_moved_further(self, restored, move, config, tmp_path):
        settings, first = restored("first.png")
        moved = move(settings, first, 0.5)
        again = move(settings.but(fidelity=0.5), moved, 0.25)
        assert difference(again, restored("quarter.png", fidelity=0.25)[1]) <= 2
        adjust_faces(moved, tmp_path / "none.png", cache_dir=config.cache_dir, strength=0.0)
        assert difference(tmp_path / "none.png", restored("plain.png", fidelity=0.5, face_strength=0.0)[1]) <= 1

    def test_forgotten_faces_are_not_lost_silently(self, restored, move, config):
        settings, first = restored("first.png")
        for layer in (config.cache_dir / "faces").iterdir():
            layer.unlink()
        with pytest.raises(InvalidSettingsError, match="no longer remembered"):
            move(settings, first, 0.5)
        with pytest.raises(InvalidSettingsError, match="no longer remembered"):
            move(EnhanceSettings.create(), first, 0.5)  # the file itself says that faces were asked for

    def test_where_none_was_found_there_is_nothing_to_keep(self, run, stand_in, known, move, config):
        known()
        how = {"manager": stand_in(brighter), "scale": 2, **self.WITH}
        picture = portrait(300, 300, [])
        settings, first = run(picture, "first.png", **how)
        assert adjustable(first, config.cache_dir) is None
        assert difference(move(settings, first, 0.5), run(picture, "wanted.png", fidelity=0.5, **how)[1]) <= 1
