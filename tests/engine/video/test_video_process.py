"""The video job in a process of its own: killed, it goes on in another one; cancelled, it keeps what is done."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from config import Config
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, enhance_video_isolated
from tests import clips
from utils.errors import InvalidVideoError


@pytest.fixture
def enhance(weights, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("REALESRGAN_")]:
        monkeypatch.delenv(name)
    config = Config(
        weights_dir=weights, cache_dir=tmp_path / "cache", output_dir=tmp_path, device="cpu", optimize=False
    )

    def run(source, on_progress=None, control=None, **options):
        return enhance_video_isolated(
            source,
            tmp_path / "out.mp4",
            EnhanceSettings.create(model="lanczos", scale=2),
            VideoOptions.create(speed="fast", segment_frames=8, **options),
            config=config,
            control=control or JobControl(on_progress),
        )

    return run


def child() -> psutil.Process:
    """The process at work: the one of ours that has the encoder loaded."""
    ours = psutil.Process().children()
    return next(one for one in ours if "spawn_main" in " ".join(one.cmdline()))


def test_a_killed_process_costs_only_its_unfinished_segment(tmp_path, enhance):
    source = clips.make_clip(tmp_path / "in.mp4", frames=400)  # it is far from done when the kill comes
    seen = []

    def kill_once(step):
        seen.append(step.done)
        if step.done == 20 and seen.count(20) == 1:
            os.kill(child().pid, signal.SIGKILL)

    result = enhance(source, kill_once)
    made, before = clips.read_clip(tmp_path / "out.mp4"), clips.read_clip(source)
    assert result.complete and result.resumed_frames >= 16
    assert (
        made.numbers == [number % 256 for number in range(400)]
        and made.times == before.times
        and made.audio == before.audio
    )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".realesrgan")]


def test_cancelling_reaches_the_process(tmp_path, enhance):
    control = JobControl()
    control.on_progress = lambda step: control.cancel() if step.done >= 10 else None
    result = enhance(clips.make_clip(tmp_path / "in.mp4", frames=2000, audio=None), control=control)
    made = clips.read_clip(tmp_path / "out.mp4")
    assert not result.complete and len(made.times) == result.frames < 2000


def test_errors_of_the_job_are_raised_here(tmp_path, enhance):
    (tmp_path / "bad.mp4").write_text("words")
    with pytest.raises(InvalidVideoError, match=r"bad\.mp4"):
        enhance(tmp_path / "bad.mp4")
