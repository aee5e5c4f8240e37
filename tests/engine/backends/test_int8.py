"""Eight bits: networks stay true to themselves in them, and are run in them only where that was seen."""

from __future__ import annotations

import dataclasses
import re
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from benchmarks.networks import photograph
from engine.backends import calibrating, get_backend, int8_guard
from engine.backends.asked import NARROWEST, fitting_device, settled_precision
from engine.backends.base import Backend, NetworkSource, Session
from engine.backends.calibration import (
    SHIPPED,
    TRUE_ENOUGH,
    Seen,
    find_calibration,
    own_path,
    read_calibration,
    shipped_name,
)
from engine.backends.int8_guard import Int8Guard, worn_window
from engine.backends.int8_rounding import round_to_steps
from engine.backends.openvino_int8 import build_int8_graph
from engine.backends.self_test import BackendChooser, psnr
from engine.imaging.picture_enhancer import how_to_load
from engine.model_manager import ModelManager
from engine.processor import enhance_file
from engine.storage.json_store import JsonStore
from engine.types import EnhanceSettings
from engine.video import enhance_video
from tests import clips
from tests.pictures import shade
from utils.errors import BackendError, InvalidSettingsError

SHIPPED_NETWORKS = ("quick-anime-x2", "quick-x2", "quick-x4", "realesr-animevideov3")
AVERAGE_DB = 43.5


@pytest.fixture
def pictures():
    return [photograph(120, 100 + 4 * number) for number in range(4)] + [shade(number, 90, 90) for number in range(2)]


@pytest.fixture
def manager(weights, tmp_path):
    made = ModelManager({}, weights, bundled_dir=None, cache_dir=tmp_path / "cache", device="cpu")
    yield made
    made.close()


@pytest.fixture
def calibrated(manager, pictures) -> NetworkSource:
    """A small network with a calibration in the cache."""
    source = manager.source("tiny-x4")
    calibrating.calibrate(source, pictures).save(own_path(source.key, manager.cache_dir))
    return source


# -- what ships ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED_NETWORKS)
def test_networks_that_ship_calibrated_are_found_by_their_weights_and_stay_true(name):
    """On a photograph-like picture and a worn one, beside what was measured when they were calibrated."""
    source = ModelManager().source(name)
    assert (SHIPPED / shipped_name(name, source.key)).is_file()
    calibration = find_calibration(source.key, None)
    assert calibration is not None and calibration.pictures >= 10
    assert calibration.worst >= TRUE_ENOUGH and calibration.average >= AVERAGE_DB

    graph = build_int8_graph(source.info, source.arrays(), calibration)
    narrow = calibrating.compiled(graph)
    runtime = get_backend("openvino")
    faded = 0.2 + 0.6 * photograph(96, 96)[None].astype(np.float32) / 255  # in strong colours it is 38 dB
    with closing(runtime.open(source, "cpu", "fp32", None)) as wide:
        for window in (worn_window(3, 96), faded):
            pixels = np.ascontiguousarray(window.transpose(0, 3, 1, 2)) * np.float32(255 / 256)
            output, exact = narrow(pixels)[0].transpose(0, 2, 3, 1), wide.infer(window)
            assert psnr(output, exact) > TRUE_ENOUGH
            np.testing.assert_allclose(output.mean((0, 1, 2)), exact.mean((0, 1, 2)), atol=0.5 / 255)


def test_every_shipped_calibration_is_a_networks():
    assert {path.name.rpartition("-")[0] for path in SHIPPED.glob("*.npz")} == set(SHIPPED_NETWORKS)
    assert sum(path.stat().st_size for path in SHIPPED.glob("*.npz")) < 300_000


# -- calibrating ---------------------------------------------------------------------------------------------------------


def test_a_calibration_holds_what_the_layers_see(manager, pictures):
    source = manager.source("tiny-x4")
    told = []
    made = calibrating.calibrate(source, pictures, told.append)
    assert told == sorted(told) and told[-1] == 1
    assert made.pictures == 2 and 20 < made.worst <= made.average < 99
    assert (made.low <= made.mean).all() and (made.mean <= made.high).all() and (made.spread > 0).all()
    covariance = made.covariance(0)
    np.testing.assert_allclose(covariance.diagonal(), made.spread[0] ** 2, rtol=1e-6)
    np.testing.assert_array_equal(covariance, covariance.T)


def test_bounds_leave_the_rarest_values_of_each_picture_out_and_nearly_keep_what_a_rare_picture_holds():
    random = np.random.default_rng(1)
    values = random.normal(size=(2, 400, 400)).astype(np.float32)
    strong = 5 * random.normal(size=(2, 400, 400)).astype(np.float32)
    seen = Seen(2)
    for maps in (values, strong, values):
        seen.see(maps)
    told = seen.told()
    looked_at = np.concatenate([maps[:, ::2, ::2].reshape(2, -1) for maps in (values, strong, values)], 1)
    strongest, weakest = (np.sort(maps[:, ::2, ::2].reshape(2, -1)) for maps in (strong, values))
    assert (weakest[:, -1] < told["high"]).all() and (told["high"] < strongest[:, -1]).all()
    np.testing.assert_allclose(told["high"], 0.96 * strongest[:, -13] + 0.04 * weakest[:, -13], rtol=1e-5)
    np.testing.assert_allclose(told["low"], 0.96 * strongest[:, 12] + 0.04 * weakest[:, 12], rtol=1e-5)
    np.testing.assert_allclose(told["mean"], looked_at.mean(1), atol=1e-6)
    np.testing.assert_allclose(told["alike"][0], np.corrcoef(looked_at)[0, 1], atol=1e-3)


def test_a_calibration_is_kept_and_read_again_and_a_damaged_file_is_none(manager, pictures, tmp_path):
    made = calibrating.calibrate(manager.source("tiny-x4"), pictures)
    path = tmp_path / "folder" / "one.npz"
    made.save(path)
    read = read_calibration(path)
    assert read is not None and read.digest() == made.digest() and (read.worst, read.pictures) == (made.worst, 2)
    assert [one.name for one in path.parent.iterdir()] == ["one.npz"]
    path.write_bytes(path.read_bytes()[:-200])
    assert read_calibration(path) is None
    assert read_calibration(tmp_path / "none.npz") is None


def test_too_few_pictures_and_other_architectures_are_refused(manager, pictures):
    with pytest.raises(InvalidSettingsError, match="4 pictures or more; there are 3"):
        calibrating.calibrate(manager.source("tiny-x4"), pictures[:3])
    other = dataclasses.replace(manager.source("tiny-x4").info, architecture="ESRGAN")
    with pytest.raises(BackendError, match="compact networks"):
        calibrating.calibrate(dataclasses.replace(manager.source("tiny-x4"), info=other), pictures)


# -- rounding ------------------------------------------------------------------------------------------------------------


def test_weights_are_rounded_so_that_what_they_compute_changes_least():
    """Against each to its nearest step, on inputs whose channels and neighbours are alike."""
    random = np.random.default_rng(2)
    weight = random.normal(size=(8, 6, 3, 3)).astype(np.float32)
    mixed = random.normal(size=(6, 6))
    covariance = mixed @ mixed.T
    step = np.abs(weight).max((1, 2, 3)) / 127 * 8  # coarse, so that it shows
    held = round_to_steps(weight, step, covariance)
    assert held.dtype == np.int8 and np.abs(held).max() <= 127

    y, x = (axis.reshape(-1, 1) for axis in np.mgrid[0:3, 0:3])
    hessian = np.kron(covariance, 0.5 ** np.hypot(y - y.T, x - x.T))

    def wrong(whole):
        error = (whole * step[:, None, None, None] - weight).reshape(8, -1)
        return float(np.einsum("oi,ij,oj->", error, hessian, error))

    assert wrong(held) < 0.5 * wrong(np.rint(weight / step[:, None, None, None]))
    np.testing.assert_array_equal(held, round_to_steps(weight, step, covariance))


# -- where it is used ----------------------------------------------------------------------------------------------------


class Runtime(Backend):
    """OpenVINO, whose sessions in eight bits are off by ``shift``; it counts how often it opened."""

    name = "openvino"

    def __init__(self, shift: float = 0.0, units: bool = True) -> None:
        self.real, self.shift, self.units, self.opened = get_backend("openvino"), shift, units, 0

    def devices(self) -> list[str]:
        return ["cpu"]

    def precisions(self, device: str) -> list[str]:
        return ["fp32"]

    def guarded(self, device: str) -> list[str]:
        return ["int8"] if self.units else []

    def open(self, source, device, precision, cache_dir) -> Session:
        self.opened += 1
        session = self.real.open(source, device, precision, cache_dir)
        if precision == "int8":
            infer = session.infer
            session.infer = lambda batch: infer(batch) + self.shift
        return session


@pytest.fixture
def choose(manager, monkeypatch, tmp_path):
    """What is chosen for a network, where eight bits take so many seconds and the plain choice one."""

    def chosen(source, runtime, seconds=0.5, backend="auto", precision="int8", tries=True):
        monkeypatch.setattr(int8_guard, "in_turn", lambda sessions, window: [seconds, 1.0])
        store = JsonStore(tmp_path / "verdicts.json")
        chooser = BackendChooser(store, manager.cache_dir)
        guard = Int8Guard(chooser, store, manager.cache_dir, tries, lambda name: runtime)
        return guard.choose(source, "cpu", backend, precision)

    return chosen


@pytest.fixture
def tolerant(monkeypatch):
    """Random weights are not as near as trained ones."""
    monkeypatch.setattr(int8_guard, "TRUE_ENOUGH", 15.0)


@pytest.mark.usefixtures("tolerant")
@pytest.mark.parametrize("precision", ["int8", NARROWEST])
def test_it_is_chosen_where_it_is_true_and_faster_and_that_is_remembered(choose, calibrated, precision):
    first = choose(calibrated, Runtime(), precision=precision)
    assert (first.backend, first.precision, first.note) == ("openvino", "int8", "")
    assert first.trials[0].psnr is not None
    again = Runtime()
    assert choose(calibrated, again, precision=precision).precision == "int8"
    assert again.opened == 0


@pytest.mark.usefixtures("tolerant")
@pytest.mark.parametrize(
    ("runtime", "how", "why"),
    [
        (Runtime(shift=0.5), {}, "stays within"),
        (Runtime(), {"seconds": 1.0}, "not faster"),
        (Runtime(units=False), {}, "nothing runs it on 'cpu'"),
        (Runtime(), {"backend": "torch"}, "nothing runs it on 'cpu' here .backend: torch"),
    ],
    ids=["untrue", "slow", "no units", "another backend"],
)
def test_it_is_set_aside_with_a_reason(choose, calibrated, runtime, how, why):
    found = choose(calibrated, runtime, **how)
    assert found.precision == "fp32" and re.search(why, found.note)
    # Who asked for nothing is told nothing.
    assert dataclasses.replace(found, note="") == choose(calibrated, runtime, **how, precision=NARROWEST)


def test_where_memory_runs_short_it_is_tried_again_the_next_time(choose, calibrated, monkeypatch):
    monkeypatch.setattr(int8_guard, "TRUE_ENOUGH", 15.0)
    short = Runtime()
    short.open = lambda *_: (_ for _ in ()).throw(MemoryError)
    choose(calibrated, Runtime(), precision="auto")  # the plain choice is known
    assert (
        "memory ran short" in choose(calibrated, short).note and not choose(calibrated, short, precision=NARROWEST).note
    )
    assert choose(calibrated, Runtime()).precision == "int8"


def test_what_was_not_true_on_pictures_is_not_even_tried(choose, calibrated, manager):
    path = own_path(calibrated.key, manager.cache_dir)
    dataclasses.replace(read_calibration(path), worst=39.2).save(path)
    runtime = Runtime()
    found = choose(calibrated, runtime)
    assert found.precision == "fp32" and "39.2 dB" in found.note and runtime.opened <= 1  # the plain choice's own trial


def test_without_a_calibration_it_is_said_how_to_make_one(choose, manager):
    assert "models calibrate" in choose(manager.source("tiny-x4"), Runtime()).note


def test_where_nothing_is_tried_the_pictures_decide(choose, calibrated, manager):
    path = own_path(calibrated.key, manager.cache_dir)
    dataclasses.replace(read_calibration(path), worst=41.0).save(path)
    assert choose(calibrated, Runtime(), tries=False).precision == "int8"


def test_a_calibration_of_other_layers_is_refused(calibrated, manager):
    path = own_path(calibrated.key, manager.cache_dir)
    found = read_calibration(path)
    dataclasses.replace(found, low=found.low[1:]).save(path)
    with pytest.raises(BackendError, match="does not fit"):
        get_backend("openvino").open(calibrated, "cpu", "int8", manager.cache_dir)


def test_who_is_in_a_hurry_gets_the_same_network_where_there_is_no_calibration(manager):
    assert manager.load_model("tiny-x4", precision=NARROWEST) is manager.load_model("tiny-x4")


@pytest.mark.parametrize(
    ("asked", "default", "settled"),
    [
        (NARROWEST, "auto", NARROWEST),
        (NARROWEST, "fp32", "fp32"),
        ("auto", "int8", "int8"),
        ("bf16", "int8", "bf16"),
        ("auto", "auto", "auto"),
    ],
)
def test_a_default_counts_where_nothing_was_asked_for(calibrated, manager, asked, default, settled):
    assert settled_precision(asked, default, lambda: calibrated.key, manager.cache_dir) == settled


@pytest.mark.parametrize(
    ("device", "precision", "known", "fitting"),
    [
        ("cuda:0", "int8", True, "cuda:0"),
        ("vulkan:0", "int8", True, "cpu"),
        ("vulkan:0", "int8", False, "vulkan:0"),
        ("vulkan:0", "bf16", False, "cpu"),
        ("vulkan:0", NARROWEST, True, "vulkan:0"),
    ],
)
def test_a_card_keeps_its_work_unless_what_is_asked_for_runs_on_the_processor(
    calibrated, manager, device, precision, known, fitting
):
    key = calibrated.key if known else "0" * 64
    assert fitting_device(device, "auto", precision, lambda: key, manager.cache_dir) == fitting


def test_a_poor_calibration_of_ones_own_does_not_replace_a_good_one(manager):
    source = ModelManager().source("quick-x2")
    good = find_calibration(source.key, None)
    dataclasses.replace(good, worst=31.0).save(own_path(source.key, manager.cache_dir))
    assert find_calibration(source.key, manager.cache_dir).worst == good.worst
    dataclasses.replace(good, worst=55.0).save(own_path(source.key, manager.cache_dir))
    assert find_calibration(source.key, manager.cache_dir).worst == 55.0


def test_a_real_session_in_int8_is_as_near_as_it_was_calibrated():
    """With the last sum in fp32, the rest in the processor's own type, and as many windows at a time as it runs."""
    source = ModelManager().source("quick-x4")
    runtime, window = get_backend("openvino"), worn_window(3, 96)
    with (
        closing(runtime.open(source, "cpu", "fp32", None)) as wide,
        closing(runtime.open(source, "cpu", "int8", None)) as narrow,
    ):
        assert psnr(narrow.infer(window), wide.infer(window)) > TRUE_ENOUGH
        seconds = int8_guard.in_turn((narrow, wide), window)
    assert len(seconds) == 2 and all(0 < one < 1000 for one in seconds)


@pytest.mark.usefixtures("tolerant")
def test_a_race_does_not_disturb_what_is_known_of_speeds(manager, calibrated):
    """Its verdicts have a file of their own."""
    manager.load_model("tiny-x4", precision="int8")
    if "int8" in get_backend("openvino").guarded("cpu"):
        (verdict,) = JsonStore(manager.cache_dir / "int8.json").all().values()
        assert verdict["psnr"] > 15
    assert all("trials" in record for record in manager.self_tests.all().values())


def test_small_pictures_do_not_count(manager, pictures):
    with pytest.raises(InvalidSettingsError, match="there are 3"):
        calibrating.calibrate(manager.source("tiny-x4"), [*pictures[:3], np.zeros((1, 40, 3), np.uint8)])


@pytest.mark.parametrize(
    ("settings", "how", "precision"),
    [
        ({"mode": "quick"}, {"pixels": 2_000_000}, NARROWEST),
        ({"mode": "balanced"}, {"pixels": 2_000_000}, NARROWEST),
        ({"mode": "quick"}, {"pixels": 40_000}, "auto"),
        ({"mode": "best"}, {"pixels": 2_000_000}, "auto"),
        ({}, {"pixels": 2_000_000}, "auto"),
        ({}, {"a_film": True}, NARROWEST),
        ({"mode": "best"}, {"a_film": True}, "auto"),
        ({"precision": "bf16"}, {"a_film": True}, "bf16"),
        ({"precision": "int8", "mode": "best"}, {"pixels": 1}, "int8"),
    ],
)
def test_eight_bits_are_allowed_where_speed_is_asked_for(settings, how, precision):
    assert how_to_load(EnhanceSettings.create(**settings), **how)["precision"] == precision


@pytest.mark.skipif("int8" not in get_backend("openvino").guarded("cpu"), reason="the processor has no eight-bit units")
@pytest.mark.parametrize("mode", ["quick", "best"])
def test_large_pictures_and_films_run_in_it_where_speed_is_asked_for(calibrated, weights, config, tmp_path, mode):
    cache = tmp_path / "cache"
    path = own_path(calibrated.key, cache)
    dataclasses.replace(read_calibration(path), worst=50.0).save(path)
    with closing(ModelManager({}, weights, bundled_dir=None, cache_dir=cache, device="cpu", optimize=False)) as manager:
        Image.fromarray(shade(0, 800, 640)).save(tmp_path / "large.png")
        settings = EnhanceSettings.create(model="tiny-x4", mode=mode, scale=2)
        how = {"manager": manager, "config": config}
        picture = enhance_file(tmp_path / "large.png", tmp_path / "out.png", settings, **how)
        film = enhance_video(clips.make_clip(tmp_path / "in.mp4", frames=2), tmp_path / "out.mp4", settings, **how)
    assert (picture.precision == "int8", film.precision == "int8") == (mode == "quick", mode == "quick")


def test_a_window_in_eight_bits_is_the_same_as_part_of_a_larger_one():
    """Each convolution has one step for all of a window, so tiles fit together."""
    source = ModelManager().source("quick-x4")
    run = calibrating.compiled(build_int8_graph(source.info, source.arrays(), find_calibration(source.key, None)))
    whole = worn_window(3, 128).transpose(0, 3, 1, 2) * np.float32(255 / 256)
    radius, scale = source.info.receptive_radius, source.info.scale
    part = run(np.ascontiguousarray(whole[..., :96, :96]))[0][..., : (96 - radius) * scale, : (96 - radius) * scale]
    assert psnr(part, run(np.ascontiguousarray(whole))[0][..., : part.shape[2], : part.shape[3]]) > 60


@pytest.mark.parametrize(
    ("default", "asked", "told"), [("int8", "auto", True), ("auto", "int8", True), ("auto", "auto", False)]
)
def test_who_asked_for_it_or_set_it_is_told_where_it_is_not_used(
    calibrated, manager, weights, config, tmp_path, default, asked, told
):
    """Of a network whose calibration is not true enough; who asked for nothing is told nothing."""
    path = own_path(calibrated.key, manager.cache_dir)
    dataclasses.replace(read_calibration(path), worst=31.0).save(path)
    cache = {"cache_dir": manager.cache_dir, "device": "cpu", "precision": default, "optimize": False}
    Image.fromarray(shade(0, 800, 640)).save(tmp_path / "in.png")
    film = clips.make_clip(tmp_path / "in.mp4", frames=2)
    settings = EnhanceSettings.create(model="tiny-x4", mode="quick", scale=2, precision=asked)
    with closing(ModelManager({}, weights, bundled_dir=None, **cache)) as other:
        how = {"manager": other, "config": config}
        for made in (
            enhance_file(tmp_path / "in.png", tmp_path / "out.png", settings, **how),
            enhance_video(film, tmp_path / "out.mp4", settings, **how),
        ):
            assert made.precision != "int8"
            assert any("int8 is not used" in warning for warning in made.warnings) is told
