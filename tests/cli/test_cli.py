"""The command line as a person uses it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.models import list_in_words
from engine.models.registry import REGISTRY
from engine.models.store import ModelStore
from engine.storage.output_names import reserved
from tests import pictures
from tests.command_line import CommandLine, wait_until
from tests.conftest import REPOSITORY, shared
from utils import image_io


@pytest.fixture
def run_main(cli_environment, tmp_path):
    """``main.py`` once, to its end; keywords are further environment variables."""

    def run(*arguments, **extra):
        command = [sys.executable, str(REPOSITORY / "main.py"), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env={**cli_environment, **extra}, cwd=tmp_path, timeout=240
        )

    return run


def test_the_version_is_the_packages(run_main):
    facts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    said = run_main("--version")
    assert (said.returncode, said.stdout) == (0, f"Real-ESRGAN Ultimate {facts['version']}\n")


@pytest.mark.parametrize("command", [["--help"], ["enhance", "--help"], ["models", "--help"], ["video", "--help"]])
def test_help_imports_nothing_heavy(command):
    code = (
        f"import sys; sys.argv = ['main.py', *{command!r}]\n"
        "import runpy\n"
        "try: runpy.run_path('main.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'gradio', 'openvino', 'cv2', 'spandrel', 'PIL.Image', 'fastapi', 'av'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr


def test_enhance_writes_a_picture_and_says_what_it_did(run_main, photo, tmp_path):
    done = run_main("enhance", photo, "-o", tmp_path / "out.png", "--model", "tiny-x4", "--scale", "2")
    assert done.returncode == 0, done.stderr
    assert image_io.probe(tmp_path / "out.png").width == 240
    assert "120x90 -> 240x180" in done.stdout


def test_json_is_one_object_a_picture_and_nothing_else(run_main, photo, tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    done = run_main(
        "enhance", photo, tmp_path / "bad.png", photo, "-o", tmp_path / "out", "--model", "tiny-x4", "--json"
    )
    first, bad, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3
    wanted = {"input", "output", "model", "scale", "width", "height", "device", "precision", "tile", "seconds"}
    assert wanted | {"peak_memory_mb", "metrics", "warnings"} <= set(first)
    assert set(first["seconds"]) == {"load", "inference", "total", "network"} and first["width"] == 480
    assert bad["error"]["type"] == "InvalidImageError" and "bad.png" in bad["error"]["message"]
    assert first["output"] != second["output"], "two inputs of one name must not share an output"
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_existing_outputs_need_force(run_main, photo, tmp_path):
    target = tmp_path / "out.png"
    target.write_text("precious")
    done = run_main("enhance", photo, "-o", target, "--model", "lanczos")
    assert done.returncode == 4 and "--force" in done.stderr and target.read_text() == "precious"
    assert run_main("enhance", photo, "-o", target, "--model", "lanczos", "--force").returncode == 0
    assert image_io.probe(target).width == 480


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--scale", "99"], 2, "scale"),
        (["--tile", "3"], 2, "tile"),
        (["--model", "no-such-model"], 5, "no-such-model"),
        (["--print-size", "big"], 2, "print-size"),
        (["--scale", "2", "--long-edge", "500"], 2, "one goal"),
        (["--unknown-option"], 2, "unknown-option"),
    ],
)
def test_wrong_use_is_one_sentence_and_an_exit_code(run_main, photo, tmp_path, arguments, code, named):
    done = run_main("enhance", photo, "-o", tmp_path / "o.png", *arguments)
    assert done.returncode == code and named in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "o.png").exists()


def test_a_wrong_setting_in_the_environment_is_named(run_main, photo):
    done = run_main("enhance", photo, REALESRGAN_MAX_IMAGE_MB="lots")
    assert done.returncode == 2 and "REALESRGAN_MAX_IMAGE_MB" in done.stderr and "Traceback" not in done.stderr


def test_models_can_be_listed_verified_and_missed(run_main):
    listed = json.loads(run_main("models", "list", "--json").stdout)
    states = {row["name"]: row for row in listed}
    assert states["tiny-x4"]["installed"] and not states["RealESRGAN_x2plus"]["installed"]
    assert "tiny-x4: unverified" in run_main("models", "verify", "tiny-x4").stdout
    assert "RealESRGAN_x4plus: verified" in run_main("models", "verify", "RealESRGAN_x4plus").stdout
    assert states["RealESRGAN_x4plus"]["source"] == "set-up"
    missing = run_main("models", "verify", "RealESRGAN_x2plus")
    assert missing.returncode == 5 and "not installed" in missing.stdout


def test_a_network_is_calibrated_and_int8_says_why_it_is_not_used(run_main, photo, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(pictures.shade(number, 80, 60)).save(folder / f"{number}.png")
    too_few = run_main("models", "calibrate", "tiny-x4", folder / "0.png")
    assert too_few.returncode == 2 and "4 pictures or more; there are 1" in too_few.stderr
    done = run_main("models", "calibrate", "tiny-x4", folder)
    assert done.returncode == 0, done.stderr
    said, path = done.stdout.splitlines()
    assert "judged by 1 of them" in said and Path(path).is_file()
    given = run_main("models", "calibrate", "tiny-x4", folder, "--out", tmp_path / "out")
    assert given.returncode == 0 and [one.name.rpartition("-")[0] for one in (tmp_path / "out").iterdir()] == [
        "tiny-x4"
    ]
    other = run_main("models", "calibrate", "RealESRGAN_x4plus", folder)
    assert other.returncode != 0 and "compact networks" in other.stderr and "Traceback" not in other.stderr

    enhanced = run_main("enhance", photo, "-o", tmp_path / "o.png", "--model", "spanx4_ch48", "--precision", "int8")
    assert enhanced.returncode == 0 and "int8 is not used" in enhanced.stdout + enhanced.stderr


def test_a_texture_is_enhanced_without_a_seam(run_main, tmp_path):
    noise = np.random.default_rng(0).integers(60, 200, (40, 56, 3), dtype=np.uint8)
    for name, pixels in (("plain", noise), ("moved", np.roll(noise, (9, 20), (0, 1)))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        done = run_main(
            "enhance", tmp_path / f"{name}.png", "-o", tmp_path / f"{name}4.png", "--model", "tiny-x4",
            "--seamless", "both", "--no-color-match", "--precision", "fp32",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    plain, moved = (np.asarray(Image.open(tmp_path / f"{name}4.png")).astype(int) for name in ("plain", "moved"))
    assert np.abs(np.roll(moved, (-36, -80), (0, 1)) - plain).max() <= 1


def test_the_list_of_models_reads_in_a_narrow_window_and_names_packs_once(weights):
    listed = ModelStore(REGISTRY, weights, bundled_dir=None, cache_dir=None, from_setup=lambda pair: None).list()
    statuses = [replace(status, installed=status.name == "tiny-x4") for status in listed]
    lines = list(list_in_words(statuses))
    installed, packs = lines.index("Installed"), lines.index("Packs of networks: python main.py models download NAME")
    assert any(line.startswith("  tiny-x4 ") for line in lines[installed:packs])
    assert [line.split()[0] for line in lines[packs + 1 :]].count("realcugan") == 1
    assert not any("realcugan-" in line for line in lines), "single networks of a pack that is not here"
    assert max(map(len, lines)) <= 110


def test_info_describes_the_machine(run_main):
    report = json.loads(run_main("info", "--json").stdout)
    assert (
        report["system"]["cores"] >= 1 and "openvino" in report["versions"] and "tiny-x4" in report["models installed"]
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are Unix")
def test_ctrl_c_ends_with_130_and_no_half_written_file(cli_environment, tmp_path, gate):
    rng = np.random.default_rng(0)
    path = tmp_path / "high.png"
    Image.fromarray(rng.integers(0, 256, (300, 60, 3), dtype=np.uint8)).save(path)
    out = tmp_path / "out"
    out.mkdir()
    gate.close(after=3)  # bands of the first tiles are written, the others wait
    with CommandLine(cli_environment, tmp_path, "enhance") as line:
        settings = ("--model", "rrdb-x4", "--tile", "64", "--precision", "fp32")
        process = line.start(path, "-o", out / "o.png", *settings, gate=gate)
        gate.wait_for_windows()
        wait_until(lambda: any(out.iterdir()), process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=200)
    assert process.returncode == 130, errors
    assert "Cancelled" in errors and list(out.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are Unix")
def test_what_a_kill_left_goes_with_the_next_picture_and_what_another_one_writes_stays(
    run_main, cli_environment, photo, tmp_path, gate
):
    out = tmp_path / "out"
    settings = ("--model", "tiny-x4", "--precision", "fp32")
    gate.close()
    with CommandLine(cli_environment, tmp_path, "enhance") as line:
        killed, going = (line.start(photo, "-o", out / name, *settings, gate=gate) for name in ("a.png", "b.png"))
        gate.wait_for_windows(2)
        wait_until(lambda: len(list(out.iterdir())) == 2, going)
        killed.kill()
        killed.communicate()
        hidden = {path.name for path in out.iterdir()}
        assert len(hidden) == 2 and all(name.endswith(".part") for name in hidden)
        assert run_main("enhance", photo, "-o", out / "c.png", "--model", "lanczos", "--scale", "2").returncode == 0
        left = {path.name for path in out.iterdir()} - {"c.png"}
        assert len(left) == 1 and left < hidden, "the other picture is still being written"
        gate.open()
        assert going.wait(200) == 0
    assert sorted(path.name for path in out.iterdir()) == ["b.png", "c.png"]


@pytest.mark.parametrize("sample", ["0014.jpg", "wolf_gray.jpg", "tree_alpha_16bit.png", "children-alpha.png"])
def test_real_weights_enhance_real_pictures(run_main, tmp_path, sample):
    checkpoint = shared("weights", "compact-anime-x4.pth")
    source = shared("samples", sample)
    done = run_main(
        "enhance", source, "-o", tmp_path / "out.png", "--model", "compact-anime-x4", "--json",
        REALESRGAN_WEIGHTS_DIR=str(checkpoint.parent),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = image_io.load(source), image_io.load(tmp_path / "out.png")
    assert after.size == (4 * before.width, 4 * before.height)
    assert after.channels == before.channels and after.bit_depth == before.bit_depth
    metrics = json.loads(done.stdout)["metrics"]
    # What differs in the worn drawing is what JPEG left and what was redrawn, and that is not put back.
    share = 1.0 if sample == "0014.jpg" else 0.6
    assert metrics["color_difference_after"] < max(0.2, share * metrics["color_difference_before"]), "a cast goes"


def test_a_preset_is_saved_used_and_handed_on(run_main, photo, tmp_path):
    assert run_main("presets", "save", "Web", "model=tiny-x4", "scale=2", "format=webp").returncode == 0
    assert "Web" in run_main("presets", "list").stdout
    told = json.loads(run_main("enhance", photo, "--preset", "web", "--scale", "3", "--json").stdout)
    assert (told["model"], told["width"], told["output"][-5:]) == ("tiny-x4", 360, ".webp")
    assert run_main("presets", "export", tmp_path / "mine.json").returncode == 0
    assert run_main("presets", "delete", "Web").returncode == 0
    assert "imported" in run_main("presets", "import", tmp_path / "mine.json").stdout
    refused = run_main("presets", "delete", "Photo")
    assert refused.returncode == 2 and "built in" in refused.stderr


def test_history_lists_repeats_and_forgets(run_main, photo, tmp_path):
    run_main("enhance", photo, "-o", tmp_path / "a.png", "--model", "tiny-x4")
    told = json.loads(run_main("enhance", photo, "-o", tmp_path / "b.png", "--model", "tiny-x4", "--json").stdout)
    assert told["reused"] and (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    runs = json.loads(run_main("history", "list", "--json").stdout)
    assert [(run["id"], run["outcome"], run["input_name"]) for run in runs] == [(1, "done", "photo.png")]
    assert run_main("history", "rerun", 1, "-o", tmp_path / "c.png").returncode == 0 and (tmp_path / "c.png").exists()
    named = tmp_path / "photo_enhanced.png"
    with reserved(named):
        done = run_main("history", "rerun", 1)
        assert done.returncode == 0 and "-2.png" in done.stdout, "the other one's name is left to it"
    assert run_main("history", "delete", 1, "--with-output").returncode == 0 and not (tmp_path / "a.png").exists()
    missing = run_main("history", "show", 1)
    assert missing.returncode == 10 and "no run 1" in missing.stderr


def test_compare_reads_what_enhance_may_write(run_main, photo, tmp_path):
    """A result may have more pixels than an input; neither is held to numbers that nobody set."""
    target = tmp_path / "a.png"
    limits = {"REALESRGAN_MAX_IMAGE_MEGAPIXELS": "0.02", "REALESRGAN_MAX_OUTPUT_MEGAPIXELS": "0.1"}
    assert run_main("enhance", photo, "-o", target, "--model", "lanczos", "--scale", "2", **limits).returncode == 0
    assert run_main("compare", photo, target, **limits).returncode == 0
    refused = run_main("compare", photo, target, **limits | {"REALESRGAN_MAX_OUTPUT_MEGAPIXELS": "0.03"})
    assert refused.returncode == 3 and "a.png" in refused.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep names as Unicode")
def test_a_file_name_that_is_no_text_is_a_name_like_any_other(run_main, photo, tmp_path):
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    photo.rename(source)
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    done = run_main("enhance", source, "--model", "lanczos", "--scale", "2", **strict)
    assert (done.returncode, done.stderr) == (0, "") and "120x90 -> 240x180" in done.stdout
    assert b"caf\xe9_x2.png" in os.listdir(os.fsencode(tmp_path))
    told = run_main("enhance", source, "--model", "lanczos", "--scale", "3", "--json", **strict)
    told = json.loads(told.stdout)
    assert told["input"] == str(source) and os.fsencode(told["output"]).endswith(b"caf\xe9_x3.png")
    failed = run_main("enhance", source, "--model", "lanczos", "--scale", "2", "--again", **strict)
    assert failed.returncode == 4 and "exists already" in failed.stderr and "Traceback" not in failed.stderr
    runs = json.loads(run_main("history", "list", "--json", **strict).stdout)
    assert [(run["outcome"], run["input_path"]) for run in runs[:2]] == [("failed", str(source)), ("done", str(source))]
    assert run_main("history", "list", **strict).returncode == 0


def test_compare_prints_numbers_and_a_verdict(run_main, photo, tmp_path):
    run_main("enhance", photo, "-o", tmp_path / "a.png", "--model", "lanczos", "--scale", "2")
    told = json.loads(run_main("compare", photo, tmp_path / "a.png", "--json").stdout)
    assert told["scale_factor"] == "2.00x" and told["verdict"].startswith("Faithful")


def test_what_is_in_doubt_is_called_so(run_main, tmp_path):
    """By ``analyze`` and by ``enhance``, with what is done then; never as a verdict."""
    cat = shared("samples", "0014.jpg")
    told = json.loads(run_main("analyze", cat, "--json").stdout)
    assert told["analysis"]["certain"] is False and told["doubt"].startswith("Photograph or drawing: not sure.")
    shown = run_main("analyze", cat).stdout
    assert told["doubt"] in shown and shown.lower().count("drawing") == told["doubt"].lower().count("drawing")
    made = run_main("enhance", cat, "-o", tmp_path / "cat.png", "--mode", "quick", "--scale", "2")
    assert made.returncode == 0 and "Note: Photograph or drawing: not sure. quick-x2 is chosen" in made.stderr


def test_analyze_says_what_it_sees_and_would_do(run_main, photo, tmp_path):
    told = json.loads(run_main("analyze", photo, "--json").stdout)
    assert told["analysis"]["resolution"] == [120, 90] and told["settings"]["model"] == "RealESRGAN_x4plus"
    shown = run_main("analyze", photo, tmp_path / "missing.png")
    assert shown.returncode == 3 and "settings:" in shown.stdout and "missing.png" in shown.stderr


def test_new_kinds_of_files_are_analysed_and_a_folder_of_them_becomes_jpeg_xl(run_main, tmp_path):
    light = pictures.pattern(40, 60, dtype=np.uint16)
    folder = tmp_path / "in"
    folder.mkdir()
    files = {
        "a.jxl": pictures.jxl(light),
        "b.dng": pictures.dng(light),
        "c.exr": pictures.openexr(light / np.float32(9)),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
        told = json.loads(run_main("analyze", folder / name, "--json").stdout)
        assert told["analysis"]["resolution"] == [60, 40]
    arguments = ("--model", "lanczos", "--scale", "2", "--format", "jxl", "--lossless")
    run_main("batch", folder, "-o", tmp_path / "out", *arguments)
    results = sorted((tmp_path / "out").rglob("*.jxl"))
    assert len(results) == 3
    assert all(image_io.load(path).size == (120, 80) and image_io.load(path).bit_depth == 16 for path in results)


def test_documents_are_enhanced_page_by_page(run_main, tmp_path, scene):
    pages = [Image.fromarray(np.ascontiguousarray(scene[: 90 - 20 * number])) for number in range(3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:], dpi=(300, 300))
    done = run_main("enhance", "scan.tif", "-o", "out.pdf", "--model", "tiny-x4", "--scale", "2")
    assert done.returncode == 0 and ", 3 pages, " in done.stdout, done.stderr
    done = run_main(
        "enhance", "out.pdf", "--pages", "3,1", "--pdf-dpi", "100", "--model", "lanczos", "--scale", "1", "--json"
    )
    said = json.loads(done.stdout)
    assert said["output"].endswith("out_x1.pdf") and said["metrics"]["pages"] == 2 and said["height"] == 100
    done = run_main("enhance", "scan.tif", "-o", "out.png", "--model", "tiny-x4")
    assert done.returncode == 2 and "'scan.tif' has 3 pages to be enhanced, and PNG holds one" in done.stderr
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 no more")
    done = run_main("batch", "scan.tif", "out.pdf", "bad.pdf", "-o", "results", "--model", "tiny-x4", "--scale", "2")
    assert "bad.pdf" in done.stdout + done.stderr
    assert [image_io.probe(tmp_path / "results" / f"{name}").pages for name in ("scan_x2.tif", "out_x2.pdf")] == [3, 3]
