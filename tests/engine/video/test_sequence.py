"""Numbered pictures are films: their frames, in their order, come out as a film or as numbered pictures again."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.imaging.context import JobContext
from engine.types import EnhanceSettings, JobControl
from engine.video import VideoOptions, enhance_video, enhance_video_direct
from engine.video.decide import decide_video, default_video_path, probe_source
from engine.video.frames_in import open_frames
from engine.video.preview import preview_video_frame
from engine.video.sequence import Pattern, frame_rate, gaps
from tests import clips
from tests.clips import number_of, numbered_frame
from tests.pictures import SRGB
from utils import image_io
from utils.errors import EmptyVideoError, InvalidSettingsError, InvalidVideoError, OutputError, VideoTooLargeError


def write(folder, numbers, name="{:04d}.png", size=(64, 48), draw=numbered_frame, **save):
    """Pictures whose fields show their own numbers."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        Image.fromarray(draw(number, *size)).save(folder / name.format(number), **save)
    return folder


@pytest.fixture
def run(manager, config, tmp_path):
    """Twice as large by interpolation."""

    def go(source, target, control=None, overwrite=False, settings=None, **options):
        return enhance_video(
            source,
            tmp_path / target,
            EnhanceSettings.create(**{"model": "lanczos", "scale": 2, **(settings or {})}),
            VideoOptions.create(**{"speed": "fast", "quality": 90, **options}),
            manager=manager,
            config=config,
            control=control,
            overwrite=overwrite,
        )

    return go


def frames_in(folder):
    """Names and the numbers that the pictures show."""
    return [(path.name, number_of(image_io.load(path).pixels)) for path in sorted(folder.iterdir())]


def warned(manager, config, source, target, **options):
    settings = EnhanceSettings.create(model="lanczos", scale=2)
    task = decide_video(
        Path(source), Path(target), settings, VideoOptions.create(**options), JobContext(manager, config)
    )
    return " ".join(task.warnings)


@pytest.mark.parametrize("as_folder", [True, False])
def test_pictures_become_a_film_in_the_order_of_their_numbers(run, tmp_path, as_folder):
    folder = write(tmp_path / "in", range(8, 20), "shot{}.png")
    source = folder if as_folder else folder / "shot%d.png"
    result = run(source, "out.mp4", rate=23.976)
    film = clips.read_clip(result.output_path)
    assert film.numbers == list(range(8, 20)), "9 comes before 10"
    assert film.times == [Fraction(1001 * place, 24000) for place in range(12)]
    assert (film.size, result.frames, result.duration) == ((128, 96), 12, pytest.approx(12 * 1001 / 24000))
    assert not result.warnings
    for pixels, number in zip(film.pixels, film.numbers, strict=True):
        large = np.asarray(Image.fromarray(numbered_frame(number)).resize((128, 96), Image.Resampling.LANCZOS))
        assert np.abs(pixels.astype(int) - large).mean() < 4


def test_a_film_becomes_pictures_and_these_a_film_again(run, clip, tmp_path):
    film = clip(frames=10)
    result = run(film, "frames/%04d.png", settings={"scale": 1})
    assert frames_in(tmp_path / "frames") == [(f"{number + 1:04d}.png", number) for number in range(10)]
    assert (result.codec, result.frames, result.bytes) == (
        "png",
        10,
        sum(path.stat().st_size for path in (tmp_path / "frames").iterdir()),
    )
    assert "Pictures have no sound" in " ".join(result.warnings)
    for frame, path in zip(open_frames(probe(film)).frames(), sorted((tmp_path / "frames").iterdir()), strict=True):
        np.testing.assert_array_equal(image_io.load(path).pixels, frame.pixels)
    run(tmp_path / "frames", "again.mp4", rate=25, settings={"scale": 1})
    assert clips.read_clip(tmp_path / "again.mp4").numbers == list(range(10))


def probe(path, **options):
    from config import Config

    return probe_source(Path(path), VideoOptions.create(**options), Config())


@pytest.mark.parametrize(("suffix", "format_"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP"), ("tif", "TIFF")])
def test_frames_to_frames_keep_their_numbers_and_what_is_missing(run, tmp_path, suffix, format_):
    folder = write(tmp_path / "in", [3, 4, 7, 8])
    result = run(folder / "%04d.png", f"out/f_%03d.{suffix}", settings={"embed_settings": False})
    assert frames_in(tmp_path / "out") == [(f"f_{number:03d}.{suffix}", number) for number in (3, 4, 7, 8)]
    assert Image.open(tmp_path / "out" / f"f_003.{suffix}").format == format_
    assert "missing among the pictures: 5-6" in " ".join(result.warnings)


def test_a_start_number_and_a_range_take_a_part(run, clip, tmp_path):
    folder = write(tmp_path / "in", range(20))
    run(folder, "part/%d.png", start_number=5, rate=10, start=0.2, end=0.5)
    assert sorted(int(path.stem) for path in (tmp_path / "part").iterdir()) == [7, 8, 9]
    run(clip(frames=3), "film/%03d.png", start_number=100)
    assert [name for name, _ in frames_in(tmp_path / "film")] == ["100.png", "101.png", "102.png"]


def test_16_bits_and_transparency_go_through(run, manager, config, tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    for number in range(3):
        frame = numbered_frame(number).astype(np.uint16) * 257 + 5
        alpha = np.broadcast_to(np.linspace(0, 65535, 64).astype(np.uint16), (48, 64))
        cv2.imwrite(str(folder / f"{number}.png"), np.dstack([frame[..., ::-1], alpha]))
    run(folder, "out/%d.png")
    made = image_io.load(tmp_path / "out" / "1.png")
    assert made.pixels.dtype == np.uint16 and made.alpha is not None
    assert (made.pixels % 257 != 0).any(), "more than 8 bits came through"
    assert made.alpha[0, 0] < 1000 and made.alpha[0, -1] > 64000
    film = run(folder, "film.mp4", settings={"scale": 1})
    assert film.codec == "h265" and clips.read_clip(film.output_path).pixel_format == "yuv420p10le"
    told = " ".join(film.warnings)
    assert "Transparency became black." in told and "16 bits a channel became 10" in told
    left, right = (
        clips.read_clip(film.output_path).pixels[0][30:, side].mean() for side in (slice(0, 4), slice(60, 64))
    )
    assert left < 3000 < right
    assert "Transparency became black." in warned(manager, config, folder, tmp_path / "%d.jpg")
    assert "JPEG holds 8 bits a channel; the input's 16 were reduced." in warned(
        manager, config, folder, tmp_path / "%d.jpg"
    )
    assert not warned(manager, config, folder, tmp_path / "%d.tif")


def test_a_network_enhances_transparent_frames(run, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    alpha = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    for number in range(2):
        Image.fromarray(np.dstack([numbered_frame(number), alpha])).save(folder / f"{number}.png")
    run(folder, "out/%d.png", settings={"model": "tiny-x4", "scale": 4, "precision": "fp32"})
    assert Image.open(tmp_path / "out" / "1.png").mode == "RGBA"
    assert Image.open(tmp_path / "out" / "1.png").size == (256, 192)


def test_a_profile_stays_with_pictures_and_is_named_where_a_film_loses_it(run, manager, config, tmp_path):
    folder = write(tmp_path / "in", range(2), icc_profile=SRGB)
    run(folder, "out/%d.png")
    assert Image.open(tmp_path / "out" / "1.png").info["icc_profile"] == SRGB
    assert not warned(manager, config, folder, tmp_path / "film.mp4")
    other = bytearray(SRGB).replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")).replace(b"sRGB", b"wide")
    folder = write(tmp_path / "wide", range(2), icc_profile=bytes(other))
    assert "colour profile (wide" in warned(manager, config, folder, tmp_path / "film.mp4")


def test_gray_pictures_and_a_gif_of_them(run, tmp_path):
    folder = write(tmp_path / "in", range(3), draw=lambda *how: numbered_frame(*how)[..., 0])
    result = run(folder, "out.gif", rate=10)
    assert result.frames == 3 and Image.open(result.output_path).n_frames == 3


def stopped_at(count):
    def stop(step):
        if step.done >= count:
            control.cancel()

    control = JobControl(stop)
    return control


def test_what_was_cancelled_goes_on_where_it_was(run, tmp_path):
    folder = write(tmp_path / "in", range(12))
    first = run(folder, "out/%02d.png", stopped_at(4))
    done = len(list((tmp_path / "out").glob("*.png")))
    assert not first.complete and 4 <= first.frames < 12 and done == first.frames
    assert "frames were written. The same command goes on" in " ".join(first.warnings)
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    second = run(folder, "out/%02d.png")
    assert (second.resumed_frames, second.frames) == (done, 12)
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in times} == times, "none was written again"
    assert frames_in(tmp_path / "out") == [(f"{number:02d}.png", number) for number in range(12)], "and nothing else"


def test_a_frame_that_was_named_just_before_a_kill_is_ours(run, tmp_path):
    """The file has its name, the journal has no line for it yet."""
    folder = write(tmp_path / "in", range(12))
    run(folder, "out/%02d.png", stopped_at(4))
    (work,) = (tmp_path / "out").glob(".realesrgan-video-*/")
    lines = (work / "journal.jsonl").read_text("utf-8").splitlines(keepends=True)
    (work / "journal.jsonl").write_text("".join(lines[:-1]), "utf-8")
    result = run(folder, "out/%02d.png")
    assert result.resumed_frames == len(lines) - 1
    assert [shown for _, shown in frames_in(tmp_path / "out")] == list(range(12))


def test_a_cancelled_film_of_pictures_goes_on(run, tmp_path):
    folder = write(tmp_path / "in", range(30))
    first = run(folder, "out.mp4", stopped_at(10), segment_frames=8)
    assert not first.complete
    second = run(folder, "out.mp4", segment_frames=8)
    assert second.complete and second.resumed_frames >= 8
    assert clips.read_clip(tmp_path / "out.mp4").numbers == list(range(30))


def test_nothing_is_overwritten_unasked_and_never_the_input(run, tmp_path):
    folder = write(tmp_path / "in", range(3))
    other = write(tmp_path / "out", [2, 9])
    before = (other / "0002.png").read_bytes()
    with pytest.raises(OutputError, match=r"0002.png' exists already"):
        run(folder, "out/%04d.png")
    assert sorted(path.name for path in other.iterdir()) == ["0002.png", "0009.png"]
    assert (other / "0002.png").read_bytes() == before
    result = run(folder, "out/%04d.png", overwrite=True)
    assert "1 older pictures" in " ".join(result.warnings)
    with pytest.raises(OutputError, match="would overwrite its own input"):
        run(folder, "in/%04d.png", overwrite=True)


def test_pictures_of_several_sizes_are_refused_by_name(run, tmp_path):
    folder = write(tmp_path / "in", range(3))
    write(folder, [3], size=(66, 48))
    with pytest.raises(InvalidVideoError, match=r"'0003.png' has 66x48 pixels, but '0000.png' 64x48"):
        run(folder, "out.mp4")


def test_what_is_no_sequence_is_told_so(run, tmp_path, config):
    empty = write(tmp_path / "empty", [])
    with pytest.raises(EmptyVideoError, match="no numbered pictures"):
        run(empty, "out.mp4")
    with pytest.raises(EmptyVideoError, match="no numbered pictures"):
        run(tmp_path / "nowhere" / "%d.png", "out.mp4")
    two = write(write(tmp_path / "two", range(2), "a{}.png"), range(2), "b{}.png")
    with pytest.raises(InvalidVideoError, match=r"several sequences \('a0.png' and 'b0.png'\)"):
        run(two, "out.mp4")
    assert run(two / "b%d.png", "out.mp4").frames == 2
    twice = write(write(tmp_path / "twice", [1], "{}.png"), [1], "0{}.png")
    with pytest.raises(InvalidVideoError, match=r"'01.png' and '1.png' have the same number"):
        run(twice, "other.mp4")
    with pytest.raises(EmptyVideoError, match="from number 5 on"):
        run(two / "b%d.png", "out.mp4", start_number=5, overwrite=True)
    with pytest.raises(EmptyVideoError, match="in that range"):
        run(two / "b%d.png", "late.mp4", start=10.0)


def test_limits_and_settings_that_do_not_fit(run, clip, config, tmp_path):
    folder = write(tmp_path / "in", range(2))
    with pytest.raises(InvalidSettingsError, match="deinterlacing is for films"):
        run(folder, "out.mp4", deinterlace="double")
    with pytest.raises(InvalidSettingsError, match="its own frame rate"):
        run(clip(), "out.mp4", rate=24)
    with pytest.raises(InvalidSettingsError, match="frames are saved as"):
        run(folder, "out/%d.bmp")
    with pytest.raises(VideoTooLargeError, match="minutes"):
        probe_source(folder, VideoOptions.create(rate=0.01), replace(config, max_video_minutes=1))


def test_a_damaged_picture_is_the_one_before_once_more(run, tmp_path):
    folder = write(tmp_path / "in", range(4))
    data = (folder / "0002.png").read_bytes()
    (folder / "0002.png").write_bytes(data[: len(data) // 2])
    result = run(folder, "out/%d.png")
    assert result.repaired == 1 and "could not be decoded" in " ".join(result.warnings)
    assert [shown for _, shown in frames_in(tmp_path / "out")] == [0, 1, 1, 3]


def test_a_full_disk_is_foreseen(manager, config, tmp_path, monkeypatch):
    from engine.video import frames_out

    folder = write(tmp_path / "in", range(4))
    monkeypatch.setattr(frames_out.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 1000})())
    assert "GB are free on that disk" in warned(manager, config, folder, tmp_path / "new" / "%d.png")


def test_temporal_settings_work_on_pictures(run, tmp_path):
    folder = write(tmp_path / "in", range(6), draw=lambda number, *size: numbered_frame(number // 2, *size))
    result = run(folder, "out/%d.png", smoothing=0.5)
    assert result.duplicates == 3
    assert [shown for _, shown in frames_in(tmp_path / "out")] == [0, 0, 1, 1, 2, 2]


def test_a_preview_and_the_call_for_scripts(manager, config, tmp_path):
    folder = write(tmp_path / "in", range(10))
    settings, options = EnhanceSettings.create(model="lanczos", scale=2), VideoOptions.create(rate=10)
    shown = preview_video_frame(folder, 0.4, settings, options, manager=manager, config=config)
    assert number_of(shown.after.pixels) == 4 and shown.seconds == pytest.approx(0.4)
    path, _, status, metrics = enhance_video_direct(
        folder, "lanczos", 2, model_manager=manager, config=config, output_path=tmp_path / "py" / "%d.webp"
    )
    assert Path(path).name == "%d.webp" and "10 frames" in status and metrics["codec"] == "webp"


def test_names_rates_and_gaps():
    assert Pattern.of(Path("a/x_%04d.png")).path(7) == Path("a/x_0007.png")
    assert Pattern.of(Path("a/%d.png")).path(12345) == Path("a/12345.png")
    assert Pattern.of(Path("100%.png")) is None and Pattern.of(Path("%d_%d.png")) is None
    assert frame_rate(29.97) == Fraction(30000, 1001) and frame_rate(25) == 25 and frame_rate(12.5) == Fraction(25, 2)
    assert frame_rate(23.976) == Fraction(24000, 1001) and frame_rate(0.1) == Fraction(1, 10)
    assert gaps([1, 2, 3]) is None and gaps([1, 3, 7]) == "2, 4-6"
    assert gaps(list(range(0, 40, 2))) == "1, 3, 5, 7, 9 and more"


def test_the_name_of_the_film_is_that_of_the_pictures(tmp_path):
    folder = write(tmp_path / "walk", range(1))
    settings = EnhanceSettings.create(scale=2)
    assert default_video_path(folder, tmp_path, settings).name == "walk_x2.mp4"
    assert default_video_path(folder / "%04d.png", tmp_path, settings).name == "walk_x2.mp4"
    assert default_video_path(folder / "shot_%04d.png", tmp_path, settings).name == "shot_x2.mp4"
