"""What setting up costs: time, disk and packages of the full set and of the one without PyTorch, in fresh environments.

    python -m benchmarks.setup [--only requirements-cpu.txt]

Downloads as pip does, so times say as much about the network and pip's cache as about the program.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTS = {"requirements.txt": "everything", "requirements-cpu.txt": "without PyTorch"}


def measure(name: str) -> tuple[float, float, int]:
    """Seconds of ``venv`` and ``pip install``, MB of the environment, and its number of packages."""
    with tempfile.TemporaryDirectory(prefix="realesrgan-setup-") as temporary:
        folder = Path(temporary) / "environment"
        started = time.perf_counter()
        venv.create(folder, with_pip=True)
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        subprocess.run([*pip, "install", "--quiet", "-r", str(ROOT / name)], check=True)
        seconds = time.perf_counter() - started
        size = sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir()) / 1e6
        listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True).stdout
    return seconds, size, len(listed.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.setup", description=__doc__)
    parser.add_argument("--only", choices=LISTS, help="measure this one alone")
    chosen = parser.parse_args().only
    print("| set-up | what is in it | packages | MB on disk | seconds |\n|---|---|---|---|---|")
    for name, what in LISTS.items():
        if chosen in (None, name):
            seconds, size, packages = measure(name)
            print(f"| `{name}` | {what} | {packages} | {size:,.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
