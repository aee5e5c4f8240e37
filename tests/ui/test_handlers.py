"""What the buttons do, without a browser."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

from engine.processor import enhance_file
from engine.types import JobControl
from ui.handlers import common, image
from ui.previews import before_and_after
from utils import image_io
from utils.errors import InvalidImageError, InvalidSettingsError

FORM = {
    "model": "tiny-x4",
    "goal": "scale",
    "scale": 2,
    "long_edge": 3840,
    "width": None,
    "height": None,
    "format": "png",
    "quality": 90,
    "fidelity": 0,
    "color_match": True,
    "denoise_strength": None,
    "tile": 0,
    "precision": "auto",
    "fit": "fit",
    "exif": "keep",
}


@pytest.fixture
def enhance(manager, config, tmp_path):
    def run(path, **changes):
        return image.enhance_one(
            path,
            common.make_settings({**FORM, **changes}),
            enhance=partial(enhance_file, manager=manager, config=config),
            folder=tmp_path / "session",
            control=JobControl(),
        )

    return run


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"scale": 2}),
        ({"goal": "long_edge"}, {"scale": None, "long_edge": 3840}),
        ({"goal": "exact", "width": 100.0}, {"scale": None, "width": 100, "height": None}),
        ({"tile": None}, {"tile": 0}),
    ],
)
def test_only_the_chosen_goal_counts(changes, expected):
    settings = common.make_settings({**FORM, **changes})
    assert {name: getattr(settings, name) for name in expected} == expected


def test_a_wrong_field_is_an_error_with_a_sentence():
    with pytest.raises(InvalidSettingsError, match="tile"):
        common.make_settings({**FORM, "tile": 5})


def test_one_picture_is_enhanced_and_explained(enhance, photo):
    shown = enhance(photo)
    assert shown.result.output_size == (240, 180) and "240 x 180" in shown.sentence
    measures = dict(shown.rows)
    assert measures["Size"] == "120 x 90 to 240 x 180" and "dB" in measures["Faithfulness"]
    again = enhance(photo)
    assert again.result.output_path != shown.result.output_path, "a second run must not replace the first result"


def test_a_bad_file_is_an_engine_error(enhance, tmp_path):
    (tmp_path / "bad.png").write_text("no")
    with pytest.raises(InvalidImageError):
        enhance(str(tmp_path / "bad.png"))


def test_uploads_are_described_or_refused_in_words(photo, config, tmp_path):
    assert image.describe_upload(photo, config).startswith("120 x 90 pixels, PNG")
    (tmp_path / "bad.png").write_text("no")
    assert "cannot be used" in image.describe_upload(str(tmp_path / "bad.png"), config)
    assert image.describe_upload(None, config) == ""


def test_the_model_list_has_installed_networks_and_resamplers(manager):
    names = [name for _, name in common.model_choices(manager)]
    assert names[0] == "auto" and "tiny-x4" in names and names[-1] == "nearest"
    assert "RealESRGAN_x4plus" not in names, "what cannot run must not be offered"
    assert common.model_note(manager, "auto", 4).startswith("Automatic means")


def test_previews_show_transparency_as_squares_and_have_one_size(tmp_path, scene):
    alpha = np.zeros((90, 120), np.uint8)
    image_io_path = tmp_path / "a.png"
    Image.fromarray(np.dstack([scene, alpha])).save(image_io_path)
    Image.fromarray(scene).resize((480, 360)).save(tmp_path / "b.png")
    before, after = before_and_after(image_io_path, tmp_path / "b.png", tmp_path)
    shown = image_io.load(before)
    assert image_io.probe(before).width == image_io.probe(after).width == 480
    assert shown.alpha is None and len(np.unique(shown.pixels)) == 2
