"""What is decided about a video before any work: the model, and what the person should know beforehand."""

from __future__ import annotations

import pytest

from engine.analysis.choice import Requirements
from engine.imaging.context import JobContext
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings
from engine.video import VideoOptions, choice
from engine.video.decide import decide_video

FIELDS_APART = {"flags": "+ildct+ilme", "x264-params": "tff=1"}


@pytest.fixture
def decided(manager, config, tmp_path):
    """Decides about a file; by default by name, for twice the size."""

    def run(source, target="out.mkv", *, by=manager, model="lanczos", scale=2, codec="auto", **settings):
        wanted = EnhanceSettings.create(model=model, scale=scale, **settings)
        return decide_video(source, tmp_path / target, wanted, VideoOptions.create(codec=codec), JobContext(by, config))

    return run


@pytest.mark.parametrize(("scale", "chosen"), [(2, "rrdb-x2"), (4, "neutral-x4")])
def test_auto_takes_a_quick_model_of_the_wanted_scale_and_says_why(clip, decided, scale, chosen):
    task = decided(clip(audio=None), model="auto", scale=scale)
    assert task.model == chosen and "quick enough" in task.model_reason and task.warnings == ()
    assert f'"model": "{chosen}"' in task.comment
    assert decided(clip(audio=None), model="auto", scale=scale, embed_settings=False).comment is None


@pytest.mark.parametrize(("scale", "chosen"), [(2, "quick-x2"), (3, "quick-x4")])
def test_of_what_comes_along_films_get_the_quick_network_of_their_scale(clip, decided, tmp_path, scale, chosen):
    complete = ModelManager(weights_dir=tmp_path / "weights", optimize=False, device="cpu")
    assert decided(clip(audio=None), by=complete, model="auto", scale=scale).model == chosen


@pytest.mark.parametrize(("scale", "chosen"), [(2, "quick-anime-x2"), (3, "realesr-animevideov3")])
def test_drawn_films_get_a_network_for_drawings(clip, decided, tmp_path, monkeypatch, scale, chosen):
    drawn = Requirements("anime", "drawing", scale, worn=False, mode="quick")
    monkeypatch.setattr(choice, "_requirements", lambda *of_a_frame: drawn)
    complete = ModelManager(weights_dir=tmp_path / "weights", optimize=False, device="cpu")
    task = decided(clip(audio=None), by=complete, model="auto", scale=scale)
    assert task.model == chosen and "suits drawn video" in task.model_reason


def test_without_any_model_it_is_enlarged_plainly_with_a_warning(clip, decided, tmp_path):
    (tmp_path / "empty").mkdir()
    nothing = ModelManager({}, tmp_path / "empty", bundled_dir=None, optimize=False, device="cpu")
    task = decided(clip(audio=None), by=nothing, model="auto")
    assert task.model == "lanczos" and task.warnings == (task.model_reason,)


@pytest.mark.parametrize(
    ("made", "asked", "words"),
    [
        ({"options": FIELDS_APART}, {}, "interlaced"),
        ({"name": "in.mov", "codec": "qtrle", "pixel_format": "argb"}, {}, "transparency"),
        ({"name": "in.mkv", "codec": "ffv1", "pixel_format": "yuv420p12le"}, {}, "12 bits a channel became 10"),
        ({"name": "in.mkv", "codec": "ffv1", "pixel_format": "yuv420p10le"}, {"codec": "h264"}, "H.264 with 10 bits"),
        (
            {"name": "in.mkv", "size": (65, 48), "codec": "ffv1"},
            {"scale": 3},
            "needs even sides: 195x144 became 196x144",
        ),
        ({"pixel_format": "yuv444p"}, {"target": "out.webm"}, "colour at full resolution (4:4:4); AV1 is written"),
        (
            {"pixel_format": "yuv422p"},
            {"target": "out.webm"},
            "colour in every line (4:2:2); AV1 is written with that of",
        ),
        ({"name": "in.mkv", "codec": "ffv1", "pixel_format": "yuv440p"}, {}, "as 4:4:0, which no encoder here writes"),
        ({"name": "in.mkv", "codec": "ffv1", "pixel_format": "yuv411p"}, {}, "as 4:1:1, which no encoder here writes"),
        ({"name": "in.mkv", "codec": "ffv1", "pixel_format": "yuv410p"}, {}, "it became 4:2:0"),
        ({"audio": "aac"}, {"target": "out.gif"}, "no sound"),
        ({}, {"face_enhance": True}, "Face restoration is for pictures"),
        ({}, {"max_megabytes": 5}, "file size cannot be asked"),
    ],
)
def test_what_will_be_different_is_said_beforehand(clip, decided, made, asked, words):
    (warning,) = decided(clip(**{"frames": 4, "audio": None, **made}), **asked).warnings
    assert words in warning
