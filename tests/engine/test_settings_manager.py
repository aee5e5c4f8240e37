"""Presets and remembered settings: nothing half-written, nothing lost, many writers at a time."""

import json
import multiprocessing
import random
import threading
import time

import pytest

from engine import EnhanceSettings, SettingsManager
from engine.storage import safe_file
from engine.storage.presets import BUILTIN_PRESETS
from tests.waiting import LONG, until
from utils.errors import InvalidSettingsError, OutputError

WRITERS, WRITES = 8, 1000


@pytest.fixture
def settings(tmp_path):
    return SettingsManager(tmp_path)


def test_settings_come_back_as_they_were(settings):
    assert settings.load() == EnhanceSettings.create()
    chosen = EnhanceSettings.create(scale=3, format="webp", quality=80, print_size=None)
    settings.save(chosen)
    assert SettingsManager(settings.path.parent).load() == chosen


def test_a_preset_lives_through_its_life(settings):
    settings.save_preset("Café", {"scale": 2, "quality": 90}, "for the web")
    assert settings.get("CAFÉ").settings == {"scale": 2.0, "quality": 90}
    settings.rename("Café", "Web")
    settings.duplicate("Web", "Web large")
    settings.save_preset("Web large", EnhanceSettings.create(long_edge=4000))
    assert [preset.name for preset in settings.presets() if not preset.builtin] == ["Web", "Web large"]
    settings.delete("Web")
    with pytest.raises(InvalidSettingsError, match="There is no preset 'Web'"):
        settings.get("Web")


def test_a_preset_is_overruled_by_explicit_choices(settings):
    settings.save_preset("Mine", {"scale": 4, "quality": 70, "tile": 256, "auto_tile": False})
    assert settings.settings_from("Mine").quality == 70
    chosen = settings.settings_from("Mine", {"long_edge": 3000, "auto_tile": True})
    assert chosen.long_edge == 3000 and chosen.scale is None and chosen.tile == 0 and chosen.quality == 70


def test_built_in_presets_are_valid_and_stay(settings):
    assert {preset.name for preset in BUILTIN_PRESETS} >= {
        "Photo",
        "Portrait",
        "Anime",
        "Old scan",
        "Noisy phone shot",
        "Maximum speed",
        "Wallpaper 2K",
        "Wallpaper 4K",
        "Wallpaper 8K",
    }
    for preset in BUILTIN_PRESETS:
        settings.settings_from(preset.name)
        for change in (settings.delete, lambda name: settings.rename(name, "Other")):
            with pytest.raises(InvalidSettingsError, match="built in"):
                change(preset.name)
        with pytest.raises(InvalidSettingsError, match="built-in"):
            settings.save_preset(preset.name.upper(), {"scale": 2})


def test_a_preset_prefers_models_that_are_installed(settings):
    assert settings.settings_from("Photo").model == "auto"
    both = ["realesr-general-x4v3", "RealESRGAN_x4plus"]
    assert settings.settings_from("Photo", installed=both).model == "RealESRGAN_x4plus"
    assert settings.settings_from("True to the original", installed=both).mode == "faithful"


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "tricky\u202egnp", "null\0"])
def test_bad_names_are_refused(settings, name):
    with pytest.raises(InvalidSettingsError, match="name"):
        settings.save_preset(name, {"scale": 2})


def test_wrong_settings_are_refused(settings):
    for wrong in ({"scale": 99}, {"nonsense": 1}, {"scale": 2, "long_edge": 100}):
        with pytest.raises(InvalidSettingsError):
            settings.save_preset("Mine", wrong)
    assert not settings.path.exists()


def test_presets_travel_in_a_file(settings, tmp_path):
    settings.save_preset("One", {"scale": 2})
    settings.save_preset("Two", {"scale": 3})
    assert settings.export_presets(tmp_path / "hand-on.json") == 2
    other = SettingsManager(tmp_path / "other")
    assert [preset.name for preset in other.import_presets(tmp_path / "hand-on.json")] == ["One", "Two"]
    with pytest.raises(InvalidSettingsError, match="already"):
        other.import_presets(tmp_path / "hand-on.json")
    assert len(other.import_presets(tmp_path / "hand-on.json", overwrite=True)) == 2


def test_an_import_is_taken_whole_or_not_at_all(settings, tmp_path):
    good, bad = {"settings": {"scale": 2}}, {"settings": {"scale": -1}}
    (tmp_path / "mixed.json").write_text(json.dumps({"version": 1, "presets": {"A": good, "B": bad}}))
    for name, text in (("broken.json", "{"), ("list.json", "[]"), ("deep.json", "[" * 100_000)):
        (tmp_path / name).write_text(text)
    for name in ("mixed.json", "broken.json", "list.json", "deep.json", "missing.json"):
        with pytest.raises(InvalidSettingsError):
            settings.import_presets(tmp_path / name)
    assert all(preset.builtin for preset in settings.presets())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"version": "x"}', b'{"presets": 3}'])
def test_a_broken_file_is_set_aside_and_told(settings, content):
    settings.save_preset("One", {"scale": 2})
    settings.save_preset("Two", {"scale": 2})
    settings.path.write_bytes(content)
    names = [preset.name for preset in settings.presets() if not preset.builtin]
    assert names == ["One"]  # the backup is the state before the last change
    assert "was kept as" in settings.notices[0]
    aside = next(settings.path.parent.glob("settings.broken-*.json"))
    assert aside.read_bytes() == content


def test_one_invalid_preset_does_not_hide_the_others(settings):
    settings.save_preset("Good", {"scale": 2})
    content = json.loads(settings.path.read_text("utf-8"))
    content["presets"]["Bad"] = {"settings": {"scale": "wide"}}
    settings.path.write_text(json.dumps(content), "utf-8")
    assert [preset.name for preset in settings.presets() if not preset.builtin] == ["Good"]
    assert any("Bad" in notice for notice in settings.notices)
    settings.save_preset("Another", {"scale": 2})
    assert "Bad" in json.loads(settings.path.read_text("utf-8"))["presets"]  # it can still be repaired by hand


def test_a_file_of_a_newer_version_is_left_alone(settings):
    settings.path.write_text('{"version": 99, "presets": {}}', "utf-8")
    with pytest.raises(InvalidSettingsError, match="version 99"):
        settings.save_preset("One", {"scale": 2})
    assert settings.path.read_text("utf-8") == '{"version": 99, "presets": {}}'


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        SettingsManager(tmp_path / "file" / "folder").save_preset("One", {"scale": 2})


def test_threads_lose_nothing(settings):
    def write(number):
        for turn in range(5):
            settings.save_preset(f"{number}-{turn}", {"scale": 2})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not preset.builtin for preset in settings.presets()) == 40


def _write_many(folder, number, log):
    safe_file.LOCK_SECONDS = LONG  # the lock is not fair, a disk may be slow
    manager = SettingsManager(folder)
    with open(log, "wb", buffering=0) as done:
        for turn in range(WRITES // WRITERS):
            manager.save_preset(f"writer {number}", {"quality": 1 + turn % 100}, f"turn {turn}")
            done.write(b".")


def test_a_thousand_writes_with_kills_in_between(tmp_path):
    """Eight processes write; one after the other is killed at a random moment. The file is valid at every look."""
    # Begun anew: what a fork takes along may hold a lock of a thread that it does not take along.
    context = multiprocessing.get_context("spawn")
    logs = [tmp_path / f"log-{number}" for number in range(WRITERS)]
    processes = [
        context.Process(target=_write_many, args=(tmp_path / "data", number, log)) for number, log in enumerate(logs)
    ]
    for process in processes:
        process.start()
    until(lambda: all(log.exists() and log.stat().st_size for log in logs[: WRITERS // 2]))
    draw, looks = random.Random(3), 0
    for victim in processes[: WRITERS // 2]:
        time.sleep(draw.uniform(0.05, 0.3))
        victim.kill()
        looks += _look(tmp_path / "data")
    while any(process.is_alive() for process in processes):
        time.sleep(0.02)
        looks += _look(tmp_path / "data")
    for process in processes:
        process.join()
    manager = SettingsManager(tmp_path / "data")
    turns = {preset.name: int(preset.description.split()[1]) for preset in manager.presets() if not preset.builtin}
    written = [log.stat().st_size for log in logs]
    assert not manager.notices
    assert looks >= WRITERS // 2  # one at each kill; on a busy machine the others are done by then
    for number, count in enumerate(written):
        # What was acknowledged is there; of a killed writer one more may have landed.
        assert turns.get(f"writer {number}", -1) in (count - 1, count)
    assert all(count == WRITES // WRITERS for count in written[WRITERS // 2 :])
    assert sorted(path.suffix for path in (tmp_path / "data").iterdir() if not path.name.startswith(".")) == [
        ".bak",
        ".json",
    ]


def _look(folder) -> int:
    """Read the file as another program would: it is whole."""
    try:
        json.loads((folder / "settings.json").read_text("utf-8"))
    except FileNotFoundError:
        return 0
    return 1
