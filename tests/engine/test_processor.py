"""The main job: a file in, a larger file out, and nothing half-written when something goes wrong."""

from __future__ import annotations

import errno
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.backends.base import PrecisionError
from engine.imaging.recording import Recorder
from engine.pixels.tiling import TileOutOfMemory
from engine.processor import apply_fidelity, default_output_path, enhance_file, enhance_image_direct
from engine.storage.history import History
from engine.types import EnhanceSettings, JobControl
from utils import image_io
from utils.errors import (
    DamagedImageError,
    EngineError,
    ImageTooLargeError,
    InvalidImageError,
    InvalidSettingsError,
    JobCancelled,
    ModelNotFoundError,
    OutOfMemoryError,
    OutputError,
)
from utils.picture import Metadata, Picture
from utils.writers import SaveOptions


@pytest.fixture
def enhance(manager, config, tmp_path):
    """Enhance an array or file with given settings; returns (result, output picture)."""

    def run(source, target="out.png", control=None, overwrite=False, **settings):
        path = source
        if not isinstance(source, Path):
            path = tmp_path / "in.png"
            image_io.save(image_io.from_array(source), path, SaveOptions("png"))
        settings.setdefault("model", "tiny-x4")
        output = tmp_path / target
        result = enhance_file(
            path,
            output,
            EnhanceSettings.create(**settings),
            manager=manager,
            config=config,
            control=control,
            overwrite=overwrite,
        )
        return result, image_io.load(output)

    return run


def psnr(a, b, white=255.0) -> float:
    mean = np.square(a.astype(np.float64) - b.astype(np.float64)).mean()
    return 99.0 if mean == 0 else 10 * np.log10(white**2 / mean)


def test_a_picture_comes_out_four_times_as_large_and_true_to_its_input(enhance, scene):
    result, picture = enhance(scene)
    assert picture.size == (480, 360)
    assert result.output_size == (480, 360) and result.scale == 4
    assert result.metrics["faithfulness_psnr_db"] > 25
    averaged = picture.pixels.reshape(90, 4, 120, 4, 3).mean((1, 3))
    assert psnr(averaged, scene) > 25


@pytest.mark.parametrize("tile", [64, 48])
def test_compact_models_tile_without_a_trace(enhance, scene, tile):
    """The halo covers the receptive field, so tiles may differ from the whole by rounding alone."""
    whole = enhance(scene, "whole.png", precision="fp32", auto_tile=False)[1]
    tiled_result, tiled = enhance(scene, "tiled.png", precision="fp32", tile=tile)
    assert tiled_result.metrics["tiles"] > 1
    assert np.abs(whole.pixels.astype(int) - tiled.pixels.astype(int)).max() <= 1


def test_rrdbnet_tiles_without_a_visible_ridge(enhance):
    from benchmarks.networks import photograph
    from benchmarks.seams import ridge

    scene = photograph(150, 190)
    whole = enhance(scene, "whole.png", model="rrdb-x4", precision="fp32", auto_tile=False)[1].pixels
    result, tiled = enhance(scene, "tiled.png", model="rrdb-x4", precision="fp32", tile=96)
    assert result.metrics["tiles"] > 2
    assert psnr(whole, tiled.pixels) > 55
    difference = tiled.pixels.astype(np.float64) - whole
    assert ridge(difference, [4 * 95]) < 3 or np.abs(difference).max() <= 1


@pytest.mark.parametrize(("scale", "expected"), [(1, (120, 90)), (1.5, (180, 135)), (3, (360, 270)), (6, (720, 540))])
def test_any_scale_is_reached_by_passes_and_one_resize(enhance, scene, scale, expected):
    result, picture = enhance(scene, scale=scale)
    assert picture.size == expected
    assert result.metrics["passes"] == (2 if scale > 4 else 1)


def test_automatic_model_prefers_a_native_x2_network_up_to_twice_the_size(manager):
    assert "x2" in manager.default_model(1.5)[0] and "x2" in manager.default_model(2)[0]
    assert "x4" in manager.default_model(2.5)[0] and "x4" in manager.default_model(None)[0]


def test_without_any_network_lanczos_serves_with_a_notice(tmp_path, config, scene):
    from engine.model_manager import ModelManager

    empty = ModelManager({}, tmp_path / "none", bundled_dir=None, cache_dir=None, device="cpu")
    source = tmp_path / "in.png"
    image_io.save(image_io.from_array(scene), source, SaveOptions("png"))
    result = enhance_file(source, tmp_path / "out.png", EnhanceSettings(scale=2), manager=empty, config=config)
    assert result.model == "lanczos" and result.output_size == (240, 180)
    assert any("models download RealESRGAN_x4plus" in warning for warning in result.warnings)


@pytest.mark.parametrize("name", ["lanczos", "bicubic", "bilinear", "nearest"])
def test_resamplers_are_models_too(enhance, scene, name):
    result, picture = enhance(scene, model=name, scale=2)
    assert picture.size == (240, 180) and result.backend == "pillow"


def test_goals_fill_and_pad(enhance, scene):
    filled = enhance(scene, "fill.png", width=200, height=200, fit="fill")[1]
    padded = enhance(scene, "pad.png", width=240, height=240, fit="pad")[1]
    assert filled.size == (200, 200)
    assert padded.size == (240, 240)
    assert padded.pixels[:30].max() == 0 and padded.pixels[-30:].max() == 0 and padded.pixels[40].max() > 0


def test_gray_stays_gray_and_sixteen_bits_stay_sixteen(enhance, tmp_path):
    gray = (np.linspace(2000, 60000, 80 * 70).reshape(80, 70, 1)).astype(np.uint16)
    result, picture = enhance(gray, "deep.png", precision="fp32")
    assert picture.is_gray and picture.bit_depth == 16
    assert len(np.unique(picture.pixels)) > 5000
    assert abs(picture.pixels.mean() - gray.mean()) < 65535 * 0.002
    _, tiff = enhance(gray, "deep.tif")
    assert tiff.bit_depth == 16
    reduced, jpeg = enhance(gray, "deep.jpg")
    assert jpeg.bit_depth == 8 and any("16" in warning for warning in reduced.warnings)


def test_transparency_is_enlarged_without_a_halo_of_what_it_hid(enhance, scene):
    """White hidden under full transparency must not shine through at the edge of the red square."""
    alpha = np.zeros((90, 120), np.uint8)
    alpha[20:50, 30:70] = 255
    pixels = np.where(alpha[..., None] > 0, np.uint8([200, 30, 30]), np.uint8(255))
    _, picture = enhance(np.dstack([pixels, alpha]), model="neutral-x4")
    assert picture.alpha is not None and picture.alpha.shape == (360, 480)
    assert picture.alpha[140, 200] == 255 and picture.alpha[10, 10] == 0
    assert picture.pixels[78:82, 118:122, 1].max() < 60, "the hidden white bled into the edge"


@pytest.mark.parametrize("color_match", [True, False])
@pytest.mark.parametrize("scale", [4, 1.5])
def test_bands_in_slices_give_the_same_picture(enhance, scene, monkeypatch, color_match, scale):
    """Of large pictures bands go on a few rows at a time; colours and alpha must stay in step."""
    alpha = np.linspace(0, 255, 90 * 120).reshape(90, 120).astype(np.uint8)
    source = np.dstack([scene, alpha])
    settings = {"model": "neutral-x4", "scale": scale, "color_match": color_match, "tile": 64}
    _, whole = enhance(source, **settings)
    monkeypatch.setattr("engine.pixels.tiling.SLICE_PIXELS", 480 * 4 * 7)
    _, sliced = enhance(source, **settings, overwrite=True)
    apart = np.abs(whole.interleaved().astype(int) - sliced.interleaved())
    assert apart.max() <= (0 if scale == 4 else 1)  # resizing sums in floats, in another order


def test_constant_alpha_costs_no_second_run(enhance, scene):
    opaque = np.dstack([scene, np.full((90, 120), 128, np.uint8)])
    result, picture = enhance(opaque)
    assert (picture.alpha == 128).all()
    assert result.metrics["tiles"] == 1


def test_colours_follow_the_input(enhance, scene):
    with_match, matched = enhance(scene, "a.png")
    without, plain = enhance(scene, "b.png", color_match=False)
    assert with_match.metrics["color_difference_after"] < 0.2
    assert without.metrics["color_difference_after"] == without.metrics["color_difference_before"]
    assert np.abs(matched.pixels.mean((0, 1)) - scene.mean((0, 1))).max() < 0.3


def test_fidelity_blends_with_the_plain_enlargement_with_and_without_the_network(enhance, scene):
    plain = enhance(scene, "plain.png", model="lanczos", scale=4)[1]
    full = enhance(scene, "full.png", fidelity=1.0)[1]
    half = enhance(scene, "half.png", fidelity=0.5)[1]
    enhanced = enhance(scene, "enhanced.png")[1]
    assert np.abs(full.pixels.astype(int) - plain.pixels.astype(int)).max() <= 1
    afterwards = apply_fidelity(enhanced, image_io.from_array(scene), 0.5)
    assert np.abs(afterwards.pixels.astype(int) - half.pixels.astype(int)).max() <= 1
    assert np.array_equal(apply_fidelity(enhanced, image_io.from_array(scene), 0).pixels, enhanced.pixels)


def test_settings_are_embedded_and_can_be_left_out(enhance, scene, tmp_path):
    enhance(scene, "with.png", scale=2)
    enhance(scene, "without.png", scale=2, embed_settings=False)
    with Image.open(tmp_path / "with.png") as image:
        embedded = json.loads(image.text["parameters"])
    assert embedded["model"] == "tiny-x4" and embedded["scale"] == 2
    with Image.open(tmp_path / "without.png") as image:
        assert "parameters" not in image.text


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_every_frame_of_an_animation_is_enhanced_and_keeps_its_time(enhance, tmp_path, suffix, scene):
    frames = [Image.fromarray(np.roll(scene, 10 * index, 1)) for index in range(3)]
    source = tmp_path / f"in.{suffix}"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=[100, 250, 50], loop=0)
    result, _ = enhance(source, f"out.{suffix}", scale=2)
    with Image.open(result.output_path) as image:
        durations = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            durations.append(image.info["duration"])
        assert image.size == (240, 180)
    assert durations == [100, 250, 50]


@pytest.mark.parametrize("suffix", ["jxl", "gif", "webp", "png"])
def test_every_frame_of_an_animated_jpeg_xl_is_enhanced(enhance, tmp_path, suffix, scene):
    frames = [(image_io.from_array(np.roll(scene, 10 * index, 1)), time) for index, time in enumerate((100, 250, 50))]
    image_io.write_animation(frames, tmp_path / "in.jxl", 3, SaveOptions("jxl", lossless=True), Metadata())
    result, _ = enhance(tmp_path / "in.jxl", f"out.{suffix}", scale=2)
    found = list(image_io.load_frames(result.output_path))
    assert [duration for _, duration in found] == [100, 250, 50]
    assert image_io.animation_loop(result.output_path) == 3
    assert {picture.size for picture, _ in found} == {(240, 180)} and result.warnings == ()


def test_the_frames_of_a_cut_off_animation_are_enhanced_where_they_are_asked_for(enhance, tmp_path, scene):
    """The result says it in its note, its figures and its own metadata; unasked nothing is written."""
    frames = [(image_io.from_array(np.roll(scene, 10 * index, 1)), 100) for index in range(4)]
    image_io.write_animation(frames, tmp_path / "whole.png", 0, SaveOptions("png"), Metadata())
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "in.png").write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(DamagedImageError, match="salvage"):
        enhance(tmp_path / "in.png", "refused.png", scale=2)
    assert not (tmp_path / "refused.png").exists()
    result, _ = enhance(tmp_path / "in.png", "out.png", scale=2, salvage=True)
    kept = len(list(image_io.load_frames(result.output_path)))
    assert kept in (1, 2) and result.metrics["missing_percent"] == 100 * (4 - kept) / 4
    assert any(f"the first {kept} of its 4 frames" in warning for warning in result.warnings)
    with Image.open(result.output_path) as image:
        assert json.loads(image.text["parameters"])["missing_percent"] == 100 * (4 - kept) / 4


def test_large_enough_pictures_are_copied_bit_for_bit(enhance, scene, tmp_path):
    result, _ = enhance(scene, long_edge=100, skip_if_large_enough=True)
    assert result.skipped
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "in.png").read_bytes()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_bound_on_the_file_is_kept(enhance, scene, tmp_path, suffix):
    result, picture = enhance(scene, f"small.{suffix}", max_megabytes=0.03)
    assert (tmp_path / f"small.{suffix}").stat().st_size <= 30_000
    assert picture.size == result.output_size
    assert any("0.03 MB" in warning for warning in result.warnings)


def test_progress_reaches_the_end_and_never_goes_back(enhance, scene):
    steps = []
    enhance(scene, tile=48, control=JobControl(on_progress=steps.append))
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert steps[-1].total == len(steps) > 3


def test_cancelling_stops_at_once_and_leaves_nothing(enhance, scene, tmp_path):
    control = JobControl()
    control.on_progress = lambda step: control.cancel()
    with pytest.raises(JobCancelled):
        enhance(scene, tile=48, control=control)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


class _Sabotage:
    """Wraps a session: fails as told for the first calls, then works."""

    def __init__(self, session, error, times):
        self._session, self._error, self.left = session, error, times
        self.calls = 0

    def __getattr__(self, name):
        return getattr(self._session, name)

    def infer(self, batch):
        self.calls += 1
        if self.left:
            self.left -= 1
            if isinstance(self._error, float):
                return np.full_like(self._session.infer(batch), self._error)
            raise self._error
        return self._session.infer(batch)


@pytest.fixture
def sabotage(manager, monkeypatch):
    """Make the loaded model's session fail ``times`` times with an error, or give a constant."""

    def apply(error, times, **how):
        model = manager.load_model("tiny-x4", **how)
        broken = _Sabotage(model.session, error, times)
        slot = manager._loaded._claim(model)
        slot.users -= 1
        monkeypatch.setattr(slot, "model", replace(model, session=broken))
        return broken

    return apply


def test_running_out_of_memory_shrinks_tiles_and_gives_the_same_picture(enhance, scene, sabotage, manager):
    expected = enhance(scene, "expected.png", precision="fp32")[1]
    sabotage(TileOutOfMemory("full"), 1, precision="fp32")
    result, picture = enhance(scene, "shrunk.png", precision="fp32")
    assert np.abs(picture.pixels.astype(int) - expected.pixels.astype(int)).max() <= 1
    assert any("tiles were made smaller" in warning for warning in result.warnings)
    assert any(side for key, side in manager.tile_memory.all().items() if "tiny-x4" in key)


def test_when_nothing_fits_the_error_gives_advice_and_no_file_remains(enhance, scene, sabotage, tmp_path):
    sabotage(TileOutOfMemory("full"), 10_000)
    with pytest.raises(OutOfMemoryError, match="half precision"):
        enhance(scene)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


@pytest.mark.parametrize("constant", [float("nan"), float("inf")])
def test_nan_in_a_narrow_type_is_redone_in_a_wider_one(enhance, scene, sabotage, constant):
    expected = enhance(scene, "expected.png", precision="fp32")[1]
    sabotage(constant, 10_000)
    result, picture = enhance(scene, "redone.png")
    assert result.precision == "fp32"
    assert any("run again in fp32" in warning for warning in result.warnings)
    np.testing.assert_array_equal(picture.pixels, expected.pixels)


def test_nan_even_in_fp32_is_an_error_not_a_picture(enhance, scene, sabotage):
    sabotage(PrecisionError("fp32 gave NaN pixels"), 10_000, precision="fp32")
    with pytest.raises(EngineError, match="damaged"):
        enhance(scene, precision="fp32")


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.png", b"", "empty"),
        ("text.png", b"this is no picture at all", "not a picture"),
        ("cut.png", None, "damaged"),
    ],
)
def test_bad_files_are_named_with_their_reason(enhance, tmp_path, scene, name, content, reason):
    path = tmp_path / name
    if content is None:
        image_io.save(image_io.from_array(scene), path, SaveOptions("png"))
        content = path.read_bytes()[:2000]
    path.write_bytes(content)
    with pytest.raises(InvalidImageError, match=reason) as caught:
        enhance(path)
    assert name in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_outputs_are_never_overwritten_by_accident(enhance, scene, tmp_path):
    enhance(scene)
    before = (tmp_path / "out.png").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        enhance(scene, scale=2)
    assert (tmp_path / "out.png").read_bytes() == before
    enhance(scene, scale=2, overwrite=True)
    with pytest.raises(OutputError, match="own input"):
        enhance(tmp_path / "in.png", "in.png", overwrite=True)


def test_a_full_disk_leaves_no_partial_file(enhance, scene, tmp_path, monkeypatch):
    source = tmp_path / "source.bmp"
    Image.fromarray(scene).save(source)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        enhance(source)
    assert [one.name for one in tmp_path.iterdir()] == ["source.bmp"]


def test_a_folder_that_cannot_be_made_is_an_output_error(enhance, scene, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        enhance(scene, "file/out.png")


def test_a_wrong_model_name_gets_suggestions(enhance, scene):
    with pytest.raises(ModelNotFoundError, match="tiny-x4"):
        enhance(scene, model="tiny-x5")


def test_output_over_the_limit_is_refused_before_work(manager, config, tmp_path, scene):
    source = tmp_path / "in.png"
    image_io.save(image_io.from_array(scene), source, SaveOptions("png"))
    small = replace(config, max_output_megapixels=0.1)
    with pytest.raises(ImageTooLargeError, match="0"):
        enhance_file(source, tmp_path / "o.png", EnhanceSettings(model="tiny-x4"), manager=manager, config=small)


# -- Python ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["path", "pil", "array"])
def test_enhance_image_direct_takes_files_pil_pictures_and_arrays(kind, manager, config, scene, tmp_path):
    image = {"path": tmp_path / "in.png", "pil": Image.fromarray(scene), "array": scene}[kind]
    if kind == "path":
        Image.fromarray(scene).save(image)
    seen = []
    result_path, input_path, status, metrics = enhance_image_direct(
        image, model_name="tiny-x4", scale=2, gpu_id=0, model_manager=manager, config=config, progress=seen.append
    )
    assert image_io.probe(result_path).width == 240
    assert Path(input_path).is_file() and seen
    assert "120x90 to 240x180" in status and metrics["model"] == "tiny-x4"
    assert metrics["seconds"]["total"] > 0


def test_direct_calls_never_reuse_an_output_name(manager, config, scene):
    first = enhance_image_direct(scene, "lanczos", 2, model_manager=manager, config=config)[0]
    second = enhance_image_direct(scene, "lanczos", 2, model_manager=manager, config=config)[0]
    assert first != second


def test_output_names_say_the_goal():
    folder = Path("out")
    assert default_output_path(Path("a/cat.jpg"), folder, EnhanceSettings(scale=2.5)).name == "cat_x2.5.jpg"
    assert default_output_path(Path("cat.bmp"), folder, EnhanceSettings(long_edge=3840)).name == "cat_3840px.png"
    assert default_output_path(Path("cat.png"), folder, EnhanceSettings(format="webp")).name == "cat_enhanced.webp"


def test_apply_fidelity_refuses_pictures_that_do_not_belong_together(scene):
    colour, gray = image_io.from_array(scene), image_io.from_array(scene[..., 0])
    with pytest.raises(InvalidSettingsError):
        apply_fidelity(gray, colour, 0.5)
    with pytest.raises(InvalidSettingsError):
        apply_fidelity(colour, colour, 1.5)
    assert isinstance(apply_fidelity(colour, colour, 0.5), Picture)


def test_a_damaged_picture_is_marked_wherever_its_result_is_told_of(tmp_path, scene, manager, config):
    """Warnings, JSON, history and the file itself say that it was damaged and how much is gone; unasked it is refused."""
    path, target = tmp_path / "in.jpg", tmp_path / "out.png"
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "JPEG", quality=95)
    path.write_bytes(stream.getvalue()[: stream.tell() // 2])
    settings = EnhanceSettings.create(model="tiny-x4")
    with pytest.raises(DamagedImageError, match="--salvage"):
        enhance_file(path, target, settings, manager=manager, config=config)
    assert not target.exists()

    history = History(f"sqlite:///{tmp_path / 'history.db'}")
    recorder = Recorder(history, manager, config)
    result = recorder.enhance_file(path, target, settings.but(salvage=True))
    percent = result.metrics["missing_percent"]
    assert 30 < percent < 70 and result.output_size == (480, 360)
    assert result.to_json()["metrics"]["missing_percent"] == percent
    assert any("is damaged" in warning for warning in result.warnings)
    (run,) = [one for one in history.query() if one.outcome == "done"]
    assert run.metrics["missing_percent"] == percent and any("is damaged" in warning for warning in run.warnings)
    with Image.open(target) as image:
        written = json.loads(image.info["parameters"])
    assert written["salvage"] is True and written["missing_percent"] == percent

    again = recorder.enhance_file(path, tmp_path / "again.png", settings.but(salvage=True))
    assert again.reused and any("is damaged" in warning for warning in again.warnings)


def test_a_damaged_page_of_a_document_is_kept_where_its_rest_is_asked_for(tmp_path, manager, config):
    """One strip of the second of two pages cannot be decoded: a sixth of that page, a twelfth of all."""
    path = tmp_path / "two.tif"
    with tifffile.TiffWriter(path) as writer:
        for seed in range(2):
            page = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), np.uint8)
            writer.write(page, compression="deflate", rowsperstrip=10, photometric="rgb")
    with tifffile.TiffFile(path) as file:
        place = file.pages[1].dataoffsets[3] + 10
    data = path.read_bytes()
    path.write_bytes(data[:place] + bytes(30) + data[place + 30 :])
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    plain = enhance_file(path, tmp_path / "plain.tif", settings, manager=manager, config=config)
    assert plain.metrics["pages"] == 1 and "salvage" in plain.warnings[0]
    asked = enhance_file(path, tmp_path / "asked.tif", settings.but(salvage=True), manager=manager, config=config)
    assert asked.metrics["pages"] == 2 and asked.metrics["missing_percent"] == pytest.approx(100 / 12, abs=0.1)
    assert "Page 2" in asked.warnings[0] and "is missing" in asked.warnings[0]
