"""The memory of the program: what was done, finding it again, and not doing it twice."""

import json
import os
import struct
import sys
import threading
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from engine import EnhanceSettings, History, ModelManager, Recorder, Run
from tests import checkpoints
from utils.errors import HistoryError, ImageTooLargeError, InvalidImageError, JobCancelled, OutputError


@pytest.fixture
def history(tmp_path):
    made = History(f"sqlite:///{tmp_path / 'data' / 'history.db'}")
    yield made
    made.close()


@pytest.fixture
def recorder(history, manager, config):
    return Recorder(history, manager, config)


@pytest.fixture
def picture(tmp_path, scene) -> Path:
    path = tmp_path / "Ferien am Meer.png"
    Image.fromarray(scene).save(path)
    return path


SETTINGS = EnhanceSettings.create(model="tiny-x4", scale=2)


def test_a_run_is_recorded_with_all_that_matters(recorder, history, picture, tmp_path):
    result = recorder.enhance_file(picture, tmp_path / "out.png", SETTINGS)
    run = history.query()[0]
    assert (run.outcome, run.model, run.device, run.output_size) == ("done", "tiny-x4", "cpu", result.output_size)
    assert run.input_name == picture.name and len(run.input_hash) == len(run.model_hash) == len(run.key) == 64
    assert run.settings == {"model": "tiny-x4", "scale": 2.0} and run.enhance_settings() == SETTINGS
    assert run.seconds["total"] > 0 and run.metrics["tiles"] >= 1 and run.output_is_there
    assert datetime.now(UTC) - run.created < timedelta(minutes=1)
    json.dumps(run.to_json())


def test_face_settings_count_only_where_faces_are_restored(recorder, picture, tmp_path):
    def key(**settings):
        return recorder._key(picture, tmp_path / "out.png", SETTINGS.but(**settings))[0]

    assert key(face_strength=0.2) == key()
    assert key(face_enhance=True, face_strength=0.2) != key(face_enhance=True) != key()


def test_a_result_without_faces_is_not_offered_once_a_face_model_is_here(history, picture, tmp_path, config, scene):
    """The same wish has another result when the face model has been installed in between."""
    from engine.models.registry import REGISTRY

    folder = tmp_path / "weights"
    checkpoints.save_pth(checkpoints.compact_state(), folder / "tiny-x4.pth")
    manager = ModelManager(dict(REGISTRY), folder, bundled_dir=None, cache_dir=None, device="cpu")
    recorder, wish = Recorder(history, manager, config), SETTINGS.but(face_enhance=True)
    before = recorder._key(picture, tmp_path / "out.png", wish)[0]
    checkpoints.save_pth(checkpoints.face_state(), folder / "narrow-face.pth")
    (folder / "face_detection_yunet_2023mar.onnx").write_bytes(b"present")
    assert recorder._key(picture, tmp_path / "out.png", wish)[0] != before


def test_the_same_picture_and_settings_are_not_computed_twice(recorder, history, picture, tmp_path):
    recorder.enhance_file(picture, tmp_path / "one.png", SETTINGS)
    copy = tmp_path / "same content.png"
    copy.write_bytes(picture.read_bytes())
    told = recorder.enhance_file(copy, tmp_path / "two.png", SETTINGS.but(tile=64, auto_tile=False))
    assert told.reused and "before" in told.warnings[0]
    assert (tmp_path / "two.png").read_bytes() == (tmp_path / "one.png").read_bytes()
    assert history.count() == 1
    assert not recorder.enhance_file(picture, tmp_path / "three.png", SETTINGS, again=True).reused
    assert history.count() == 2


@pytest.mark.parametrize("change", [{"scale": 3}, {"model": "neutral-x4"}, {"quality": 50}, {"fidelity": 0.5}])
def test_other_settings_are_another_run(recorder, picture, tmp_path, change):
    recorder.enhance_file(picture, tmp_path / "one.png", SETTINGS)
    assert recorder.earlier(picture, tmp_path / "two.png", SETTINGS) is not None
    assert recorder.earlier(picture, tmp_path / "two.png", SETTINGS.but(**change)) is None
    assert recorder.earlier(picture, tmp_path / "two.jpg", SETTINGS) is None  # another format


def test_other_weights_under_the_same_name_are_another_run(history, config, picture, tmp_path):
    weights = tmp_path / "weights"
    weights.mkdir()
    settings = EnhanceSettings.create(model="mine")
    for seed in (1, 2):
        checkpoints.save_pth(checkpoints.compact_state(seed=seed), weights / "mine.pth")
        manager = ModelManager({}, weights, cache_dir=None, bundled_dir=None, optimize=False, device="cpu")
        recorder = Recorder(history, manager, config)
        assert not recorder.enhance_file(picture, tmp_path / f"{seed}.png", settings).reused
        manager.close()


def test_a_result_that_is_gone_or_changed_is_computed_anew(recorder, picture, tmp_path):
    target = tmp_path / "one.png"
    recorder.enhance_file(picture, target, SETTINGS)
    target.write_bytes(b"edited")
    assert not recorder.enhance_file(picture, tmp_path / "two.png", SETTINGS).reused


def test_reuse_keeps_to_the_rules_of_writing(recorder, picture, tmp_path):
    recorder.enhance_file(picture, tmp_path / "one.png", SETTINGS)
    (tmp_path / "mine.png").write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists already"):
        recorder.enhance_file(picture, tmp_path / "mine.png", SETTINGS)
    assert (tmp_path / "mine.png").read_bytes() == b"precious"
    assert recorder.enhance_file(picture, tmp_path / "mine.png", SETTINGS, overwrite=True).reused
    assert recorder.enhance_file(picture, tmp_path / "one.png", SETTINGS).reused  # it is there already


def test_failed_and_cancelled_runs_are_recorded_too(history, manager, config, picture, tmp_path):
    def cancelled(*_, **__):
        raise JobCancelled("Cancelled; nothing was written.")

    with pytest.raises(JobCancelled):
        Recorder(history, manager, config, cancelled).enhance_file(picture, tmp_path / "a.png", SETTINGS)
    cut = tmp_path / "cut.png"
    cut.write_bytes(picture.read_bytes()[:2000])
    with pytest.raises(InvalidImageError):
        Recorder(history, manager, config).enhance_file(cut, tmp_path / "b.png", SETTINGS)
    failed, stopped = history.query()
    assert (failed.outcome, stopped.outcome) == ("failed", "cancelled") and failed.error
    assert [run.input_name for run in history.query(outcome="failed")] == ["cut.png"]


def test_runs_are_found_by_name_model_and_time(history):
    now = datetime.now(UTC)
    for number, name in enumerate(("Beach.png", "beach_2.jpg", "50%.png", "Forest.png")):
        history.record(_run(name, model=f"m{number % 2}", created=now - timedelta(days=number)))
    names = lambda **how: [run.input_name for run in history.query(**how)]  # noqa: E731
    assert names(text="BEACH") == ["beach_2.jpg", "Beach.png"]
    assert names(text="50%") == ["50%.png"] and names(text="_") == ["beach_2.jpg"]
    assert names(model="m1") == ["Forest.png", "beach_2.jpg"]
    assert names(since=now - timedelta(days=1.5)) == ["beach_2.jpg", "Beach.png"]
    assert names(limit=1, offset=1) == ["50%.png"]


def _run(name, **more):
    return Run(input_name=name, input_path="", input_hash="", key="", settings={}, outcome="done", **more)


def test_a_run_can_be_repeated(recorder, history, picture, tmp_path):
    recorder.enhance_file(picture, tmp_path / "one.png", SETTINGS)
    recorder.again(history.query()[0].id, tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == (tmp_path / "one.png").read_bytes()
    with pytest.raises(HistoryError, match="no run 99"):
        recorder.again(99, tmp_path / "three.png")


def test_forgetting_a_run_takes_its_output_along_only_when_asked(recorder, history, picture, tmp_path):
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    recorder.enhance_file(picture, one, SETTINGS)
    recorder.enhance_file(picture, two, SETTINGS.but(scale=3))
    newer, older = (run.id for run in history.query())
    history.delete(older)
    assert one.exists() and history.count() == 1
    history.delete(newer, with_output=True)
    assert not two.exists() and history.count() == 0


def test_a_file_that_another_took_the_place_of_is_not_deleted(recorder, history, picture, tmp_path):
    recorder.enhance_file(picture, tmp_path / "one.png", SETTINGS)
    (tmp_path / "one.png").write_bytes(b"edited by hand")
    history.delete(history.query()[0].id, with_output=True)
    assert (tmp_path / "one.png").read_bytes() == b"edited by hand"


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////proc/nowhere/history.db", "oracle9://host/x"])
def test_a_history_that_cannot_be_used_costs_no_picture(url, manager, config, picture, tmp_path):
    broken = History(url)
    with pytest.raises(HistoryError, match="cannot be used"):
        broken.query()
    result = Recorder(broken, manager, config).enhance_file(picture, tmp_path / "one.png", SETTINGS)
    assert result.output_path.exists()


def test_a_password_is_never_shown():
    with pytest.raises(HistoryError) as caught:
        History("postgresql+nodriver://me:secret@host/db").query()
    assert "secret" not in str(caught.value)


def test_many_threads_record_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'history.db'}"

    def write(number):
        mine = History(url)
        for turn in range(10):
            mine.record(_run(f"{number}-{turn}"))
        mine.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert History(url).count() == 60


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep names as Unicode")
def test_a_name_that_is_no_text_is_kept_and_found_again(recorder, history, picture, tmp_path):
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    source.write_bytes(picture.read_bytes())
    target = source.with_name(f"{source.stem}_x2.png")
    recorder.enhance_file(source, target, SETTINGS)
    run = history.query(text=source.stem)[0]
    assert (run.input_path, run.output_path) == (str(source), str(target)) and run.output_is_there
    recorder.again(run.id, target.with_name("again.png"))
    with pytest.raises(OutputError, match="exists already"):
        recorder.enhance_file(source, target, SETTINGS, again=True)
    failed = history.query(outcome="failed")[0]
    assert failed.input_path == str(source) and target.name in failed.error
    history.delete(run.id, with_output=True)
    assert not target.exists()


def test_pictures_are_held_to_the_limits_of_the_settings(history, manager, config, tmp_path):
    """Headers are enough: 300 megapixels, more than any default allows."""
    header = struct.pack(">IIBBBBB", 20_000, 15_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(2501 * 15_000))), (b"IEND", b"")]
    data = [
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in chunks
    ]
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(data))
    with pytest.raises(ImageTooLargeError, match="the limit is 200"):
        Recorder(history, manager, config).earlier(large, tmp_path / "out.png", SETTINGS)
    generous = Recorder(history, manager, replace(config, max_image_megapixels=400))
    assert generous.earlier(large, tmp_path / "out.png", SETTINGS) is None
