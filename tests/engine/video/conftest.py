"""Clips, and the video job over them."""

from __future__ import annotations

import pytest

from engine.types import EnhanceSettings
from engine.video import VideoOptions, enhance_video
from tests import clips


@pytest.fixture
def clip(tmp_path):
    """Writes a clip into the test's folder, see ``clips.make_clip``."""

    def make(name="in.mp4", **how):
        return clips.make_clip(tmp_path / name, **how)

    return make


@pytest.fixture
def enhance(manager, config, tmp_path):
    """Enhances a file; by default twice as large by interpolation. Returns (result, what the output holds)."""

    def run(
        source, target="out.mp4", control=None, overwrite=False, model="lanczos", scale=2, settings=None, **options
    ):
        output = tmp_path / target
        result = enhance_video(
            source,
            output,
            EnhanceSettings.create(model=model, scale=scale, **(settings or {})),
            VideoOptions.create(**{"speed": "fast", "quality": 90, **options}),
            manager=manager,
            config=config,
            control=control,
            overwrite=overwrite,
        )
        return result, clips.read_clip(output)

    return run
