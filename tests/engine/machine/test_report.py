"""The report, the folders, the log's end, the memory and the machine test: true figures from real runs."""

from __future__ import annotations

import pytest

from engine.machine.benchmark import machine_test
from engine.machine.report import bug_report, folder_facts, system_report
from engine.types import JobControl
from utils.errors import JobCancelled, ModelNotFoundError
from utils.gpu import memory_now
from utils.logger import log_tail

FOLDERS = ("weights", "output", "cache", "data", "log")


def test_folders_are_counted_even_where_they_do_not_exist_yet(settings):
    settings.output_dir.mkdir()
    (settings.output_dir / "a.png").write_bytes(b"12345")
    (settings.output_dir / "deeper").mkdir()
    (settings.output_dir / "deeper" / "b.png").write_bytes(b"123")
    facts = {one.name: one for one in folder_facts(settings)}
    assert tuple(facts) == FOLDERS
    assert (facts["output"].files, facts["output"].used) == (2, 8)
    assert facts["cache"].files == 0 and 0 < facts["cache"].free <= facts["cache"].total


def test_the_log_ends_with_its_last_lines(tmp_path):
    assert log_tail(tmp_path) == ""
    (tmp_path / "realesrgan.log").write_text("".join(f"line {number}\n" for number in range(5000)))
    assert log_tail(tmp_path, 3) == "line 4997\nline 4998\nline 4999"


def test_a_bug_report_holds_models_limits_and_log_but_not_the_home_folder(settings, manager, monkeypatch):
    monkeypatch.setenv("HOME", str(settings.output_dir.parent))
    monkeypatch.setenv("USERPROFILE", str(settings.output_dir.parent))
    settings.log_dir.mkdir()
    (settings.log_dir / "realesrgan.log").write_text("something went wrong\n")
    text = bug_report(manager, settings)
    assert "tiny-x4: " in text and "200 megapixels" in text and "something went wrong" in text
    assert str(settings.output_dir.parent) not in text and "~" in text


def test_loaded_models_tell_their_memory_and_give_it_back(settings, manager):
    manager.unload_all()  # what other tests left
    with manager.borrow("tiny-x4", precision="fp32") as loaded:
        (told,) = [entry for name, entry in manager.status().items() if name.startswith("tiny-x4")]
        assert told["in_use"] == 1
        assert told["weights_mb"] == pytest.approx(loaded.info.parameters * 4 / 2**20, abs=0.06)
    assert "tiny-x4" in str(system_report(manager, settings)["models loaded"])
    manager.unload_all()
    assert system_report(manager, settings)["models loaded"] == {}


def test_memory_now_is_consistent():
    now = memory_now()
    assert 0 < now["available"] <= now["total"] and 0 < now["process"] <= now["process_peak"] * 1.01 < now["total"]


@pytest.mark.parametrize("model", ["tiny-x4", "tiny-x2", "lanczos"])
def test_the_machine_test_measures_a_model_and_foretells_times(manager, model):
    steps = []
    done = machine_test(manager, model, seconds=0.3, control=JobControl(steps.append))
    assert done.model == model and done.windows >= 1 and done.scale == (2 if model == "tiny-x2" else 4)
    assert done.input_megapixels_per_second > 0 and done.encode_megapixels_per_second > 0
    assert done.seconds_for(4) == pytest.approx(2 * done.seconds_for(2))
    assert steps[-1].fraction == 1 and done.to_json()["seconds_for_2_megapixels"] > 0


def test_the_machine_test_takes_the_default_model_and_can_be_cancelled(manager):
    control = JobControl(lambda step: control.cancel())
    with pytest.raises(JobCancelled):
        machine_test(manager, seconds=60, control=control)
    assert all(entry["in_use"] == 0 for entry in manager.status().values())
    with pytest.raises(ModelNotFoundError):
        machine_test(manager, "nowhere", seconds=0.1)
