"""How a result differs: in words, and as a map on the stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.types import EnhanceSettings, JobControl
from tests.ui.test_image_tab import Opened, window
from tests.ui.test_image_work import config, service, visitor  # noqa: F401 (fixtures)
from ui.handlers import differences
from ui.strings import LANGUAGES, words_in

ENGLISH = words_in("en")
SETTINGS = EnhanceSettings(model="tiny-x2", scale=2, format="png")


def said(**metrics) -> str:
    return differences.differences_html(metrics, ENGLISH)


def differs(**values) -> dict:
    return {"visible": 0.5, "block": 8, "edges": 0.2, "texture": 0.7, "smooth": 0.1, **values}


def test_a_sentence_of_what_was_measured():
    told = said(
        sharpness_before=2.0,
        sharpness_after=4.0,
        noise_before=6.0,
        noise_after=1.0,
        color_difference_after=0.2,
        differs=differs(blocks_before=0.6, blocks_after=0.0),
    )
    assert told == (
        "<p>Sharper edges, JPEG blocks gone, noise gone, colours unchanged; "
        "what was invented or lost lies mostly in fine texture.</p>"
    )


@pytest.mark.parametrize(
    ("metrics", "word"),
    [
        ({"sharpness_before": 4.0, "sharpness_after": 3.0}, "Smoother than plainly enlarged"),
        ({"sharpness_before": 4.0, "sharpness_after": 4.1}, "About as sharp"),
        ({"noise_before": 6.0, "noise_after": 6.0}, "Noise still there"),
        ({"color_difference_after": 1.0}, "Colours almost unchanged"),
        ({"color_difference_after": 9.0}, "Colours changed"),
        ({"differs": differs(blocks_before=0.6, blocks_after=0.5)}, "JPEG blocks still there"),
        ({"differs": differs(visible=0.001)}, "Nothing visible"),
        ({"differs": differs(edges=0.4, texture=0.3, smooth=0.3)}, "spread over"),
    ],
)
def test_each_measure_has_its_words(metrics, word):
    assert word in said(**metrics)


def test_what_was_not_measured_is_not_told():
    assert said() == "" and "noise" not in said(noise_before=0.4, noise_after=0.1, color_difference_after=0.1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_legend_names_the_unit_and_the_block(language):
    told = differences.legend_html({"differs": differs(block=24)}, words_in(language))
    assert "255" in told and "24" in told


def test_a_result_is_looked_at_at_once_and_a_large_one_when_it_is_asked_for(service, visitor, photo, monkeypatch):  # noqa: F811
    run = service.enhance(visitor, photo, SETTINGS, JobControl())
    assert {"visible", "edges", "texture", "smooth", "blocks_before", "block"} <= set(run.metrics["differs"])
    monkeypatch.setattr(differences, "AT_ONCE_PIXELS", 100)
    later = service.enhance(visitor, photo, SETTINGS.but(fidelity=0.5), JobControl())
    assert "differs" not in later.metrics
    view, known = service.heat(visitor, later)
    assert known.metrics["differs"] and service.workspace(visitor).get(later.id) == known
    with Image.open(view.heat) as heat:
        assert heat.size == (15, 12) and heat.mode == "RGBA"
    assert Path(view.heat).parent == visitor.folder / "previews"


def test_looking_at_an_older_result_leaves_the_order_of_results(service, visitor, photo):  # noqa: F811
    first = service.enhance(visitor, photo, SETTINGS, JobControl())
    service.enhance(visitor, photo, SETTINGS.but(fidelity=0.5), JobControl())
    before = [run.id for run in service.workspace(visitor).runs]
    service.heat(visitor, first)
    assert [run.id for run in service.workspace(visitor).runs] == before != sorted(before)


def test_what_a_picture_shows_through_does_not_count(service, visitor, tmp_path, scene):  # noqa: F811
    """Previews show it as squares, whose size is another before and after."""
    alpha = np.zeros((90, 120), np.uint8)
    alpha[:, 60:] = 255
    path = tmp_path / "half.png"
    Image.fromarray(np.dstack([scene, alpha])).save(path)
    run = service.enhance(visitor, path, SETTINGS.but(model="nearest"), JobControl())
    found, kept = differences.look(service.view(visitor, run), Path(run.output_path))
    assert found.levels[:, :7].max() == 0 and kept["visible"] < 0.01


def test_a_moved_result_is_looked_at_anew(service, visitor, photo):  # noqa: F811
    run = service.enhance(visitor, photo, SETTINGS, JobControl())
    moved = service.readjust(visitor, run, fidelity=1.0)
    assert moved.metrics["differs"] != run.metrics["differs"]


def test_the_button_lays_the_map_over_the_result_and_takes_it_away(config, manager, photo):  # noqa: F811
    opened = Opened(config, manager)
    parts, made = opened.parts, opened.run("a", photo)
    stage = made[parts.stage]
    shown = opened.tab.heat(window("a"), stage)
    assert shown[parts.stage]["heat"] and shown[parts.stage]["run"] == stage["run"] and "levels" in shown[parts.legend]
    assert shown[parts.heat]["value"] == "Hide where it differs"
    again = opened.tab.heat(window("a"), shown[parts.stage])
    assert again[parts.stage]["heat"] is None and not again[parts.legend]
    assert again[parts.heat]["value"] == "Show where it differs"


def test_without_an_original_the_button_says_so(config, manager, photo):  # noqa: F811
    opened = Opened(config, manager)
    stage = opened.run("a", photo)[opened.parts.stage]
    photo.unlink()
    told = opened.tab.heat(window("a"), stage)
    assert "no original" in told[opened.parts.legend] and opened.parts.stage not in told
