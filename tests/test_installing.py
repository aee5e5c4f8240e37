"""Installed, the program is one package beside others: its commands run outside a checkout, its files are the person's."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import REPOSITORY
from tests.engine.executors.test_behaviour import skip_without_ray
from tests.ui.running import running_app
from tests.waiting import LONG

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that no build folder is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    kept = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if kept.returncode:
        pytest.skip("not a git checkout")
    for name in kept.stdout.splitlines():
        if (REPOSITORY / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((REPOSITORY / name).read_bytes())
    (folder / "source" / "weights" / "somebody's.safetensors").write_bytes(b"not part of the program")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([*PIP, "wheel", *options, str(folder / "source")], check=True, timeout=2 * LONG)
    return next(folder.glob("*.whl"))


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the program in it, outside the checkout.

    Attributes:
        commands: folder of its programs.
        site: folder of its packages.
    """

    commands: Path
    site: Path

    @property
    def python(self) -> str:
        return str(self.commands / "python")

    def environment(self, home: Path) -> dict[str, str]:
        """What its commands find in their environment: a home, and nothing of the checkout."""
        without = ("XDG_", "REALESRGAN_", "PYTHON", "RAY_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
        return {**kept, "HOME": str(home)}

    def run(self, home: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of its commands, in a home folder."""
        return subprocess.run(
            [str(self.commands / command), *arguments],
            cwd=home,
            env=self.environment(home),
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * LONG,
        )


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel in an environment of its own, which finds the program's requirements in this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=sys.platform != "win32", with_pip=False)
    commands = folder / ("Scripts" if sys.platform == "win32" else "bin")
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    (site / "requirements.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    made = Installed(commands, site)
    subprocess.run([*PIP, "--python", made.python, "install", "--no-deps", str(wheel)], check=True, timeout=LONG)
    return made


def listed(name: str) -> list[str]:
    """The lines of a requirement file, without remarks."""
    return [line for line in (REPOSITORY / name).read_text().splitlines() if line and line[0] != "#"]


def test_the_wheel_takes_one_name_and_brings_what_the_program_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        facts = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
        commands = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    (version,) = {name.split("/")[0] for name in names} - {"realesrgan_ultimate"}
    assert version.endswith(".dist-info")
    for name in (
        "config.py",
        "main.py",
        "engine/models/registry.py",
        "engine/analysis/content_weights.npz",
        "ui/style.css",
        "ui/samples/photograph.jpg",
        "ui/viewer/viewer.js",
        "ui/notices/notices.js",
        "ui/page_menu/page_menu.js",
        "desktop/icon.png",
        "desktop/integration/linux.py",
        "weights/embedded-compact-x4.safetensors",
        "api/routes/upscale.py",
    ):
        assert f"realesrgan_ultimate/{name}" in names
    assert not [name for name in names if "tests/" in name or "training/" in name or "somebody" in name]
    asked = set(facts.splitlines())
    assert {f"Requires-Dist: {line}" for line in listed("requirements-cpu.txt")} <= asked
    for extra in ("torch", "ray", "vulkan"):
        wanted = listed(f"requirements-{extra}.txt")
        assert wanted and {f'Requires-Dist: {line}; extra == "{extra}"' for line in wanted} <= asked
    assert listed("requirements.txt") == ["-r requirements-cpu.txt", "-r requirements-torch.txt"]
    assert "realesrgan-ultimate = " in commands and "rsu = " in commands


def test_names_of_others_stay_theirs(installed, tmp_path):
    (tmp_path / "utils.py").write_text("mine = 'somebody else'\n")
    code = "import sys; sys.path.insert(0, '.'); import realesrgan_ultimate.launcher, utils; print(utils.mine)"
    assert installed.run(tmp_path, "python", "-c", code).stdout == "somebody else\n"


def test_without_arguments_the_command_line_shows_its_help(installed, tmp_path):
    done = installed.run(tmp_path, "rsu")
    assert done.returncode == 0 and "enhance" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="folders of other platforms have other names")
def test_a_picture_is_enhanced_outside_the_checkout_and_files_are_the_persons(installed, tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / "in.png")
    before = {path for path in installed.site.rglob("*") if "__pycache__" not in path.parts}
    how = ("enhance", "in.png", "-o", "out.png", "--model", "embedded-compact-x4")
    done = installed.run(tmp_path, "python", "-m", "realesrgan_ultimate.launcher", *how)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "out.png").size == (128, 96)
    assert {path for path in installed.site.rglob("*") if "__pycache__" not in path.parts} == before
    assert (tmp_path / ".cache" / "realesrgan-ultimate").is_dir()
    assert (tmp_path / ".local" / "share" / "realesrgan-ultimate" / "data").is_dir()


def test_a_worker_process_finds_the_program_as_well(installed, tmp_path):
    Image.new("RGB", (16, 16), "teal").save(tmp_path / "in.png")
    (tmp_path / "work.py").write_text(
        "import sys\n"
        "import realesrgan_ultimate.launcher as launcher\n"
        "sys.argv = ['rsu', 'batch', 'in.png', '-o', 'done', '--model', 'lanczos', '--scale', '2']\n"
        "if __name__ == '__main__':\n"
        "    raise SystemExit(launcher.command_line())\n"
    )
    environment = "import os; os.environ['REALESRGAN_EXECUTOR'] = 'worker'\n"
    (tmp_path / "work.py").write_text(environment + (tmp_path / "work.py").read_text())
    done = installed.run(tmp_path, "python", "work.py")
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in (tmp_path / "done").glob("*.png")] == [".png"]


THROUGH_RAY = """
import sys
import realesrgan_ultimate.launcher as launcher

def where():
    import engine, sys
    return [engine.__file__, sys.executable]

def end(self, grace=0.0):
    import ray
    print("worker", *ray.get(ray.remote(where).options(num_cpus=0).remote()), sep="|")
    return ends(self, grace)

launcher._prepare()
from engine.executors.ray_executor import RayExecutor
ends, RayExecutor.close = RayExecutor.close, end
sys.argv = ["rsu", "batch", "in.png", "-o", "done", "--model", "lanczos", "--scale", "2", "--executor", "ray"]
raise SystemExit(launcher.command_line())
"""


def test_rays_workers_take_the_installed_program(installed, tmp_path):
    skip_without_ray()
    Image.new("RGB", (16, 16), "teal").save(tmp_path / "in.png")
    (tmp_path / "work.py").write_text(THROUGH_RAY)
    done = installed.run(tmp_path, "python", "work.py")
    assert done.returncode == 0, done.stderr
    assert [Image.open(path).size for path in (tmp_path / "done").glob("*.png")] == [(32, 32)]
    (said,) = (line for line in done.stdout.splitlines() if line.startswith("worker|"))
    _, module, python = said.split("|")
    assert Path(module).is_relative_to(installed.site / "realesrgan_ultimate")
    assert Path(python).parent == installed.commands


def test_the_app_answers_from_an_installation(installed, tmp_path):
    command = [installed.commands / "realesrgan-ultimate"]
    with running_app(tmp_path, command=command, environment=installed.environment(tmp_path), folder=tmp_path) as app:
        assert b"gradio" in urllib.request.urlopen(app.address, timeout=LONG).read().lower()
        assert urllib.request.urlopen(f"{app.address}/health", timeout=LONG).status == 200
