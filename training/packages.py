"""Fetch the pictures of ``content_sources.json``: Debian and npm packages, unpacked side by side. Resumable:

    python -m training.packages FOLDER

What is there already stays; what is missing at the end is named. It needs ``apt-get`` with ``dpkg``, and ``npm``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess  # nosec: package managers, with names from this repository's own list
import tempfile
from collections.abc import Iterable
from pathlib import Path

SOURCES = Path(__file__).with_name("content_sources.json")
_SCOPES = ("vladmandic",)
"""Scopes of npm: ``npm pack`` writes ``@scope/name`` as ``scope-name``."""


def pictures() -> list[str]:
    """Paths of all pictures, below the folder of packages."""
    return [path for paths in json.loads(SOURCES.read_text("utf-8")).values() for path in paths]


def packages_of(paths: Iterable[str]) -> list[str]:
    """``deb/NAME`` and ``npm/NAME-VERSION``, each once and in order."""
    return sorted({"/".join(path.split("/")[:2]) for path in paths})


def npm_request(stem: str) -> str:
    """What ``npm pack`` is asked for so that it writes ``stem.tgz``.

    Raises:
        ValueError: there is no version in it.
    """
    found = re.fullmatch(r"(.+?)-(\d+\.\d+\.\d+.*)", stem)
    if found is None:
        raise ValueError(f"'{stem}' does not end in a version.")
    name, version = found.groups()
    scope, _, rest = name.partition("-")
    return f"@{scope}/{rest}@{version}" if scope in _SCOPES else f"{name}@{version}"


def fetch(package: str, folder: Path) -> None:
    """Fetch one package into ``folder/PACKAGE``, which then holds all of it or does not exist.

    Raises:
        subprocess.CalledProcessError: the package manager does not have it, or it cannot be unpacked.
    """
    kind, _, name = package.partition("/")
    target = folder / package
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        content = Path(work) / "content"
        content.mkdir()
        if kind == "deb":
            subprocess.run(["apt-get", "download", "-qq", name], cwd=work, check=True)  # nosec
            subprocess.run(["dpkg", "-x", next(Path(work).glob("*.deb")), content], check=True)  # nosec
        else:
            subprocess.run(["npm", "pack", "--silent", npm_request(name)], cwd=work, check=True)  # nosec
            subprocess.run(["tar", "xf", next(Path(work).glob("*.tgz")), "-C", content], check=True)  # nosec
        content.rename(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for package in packages_of(pictures()):
        if not (folder / package).exists():
            print(package, flush=True)
            try:
                fetch(package, folder)
            except (OSError, subprocess.CalledProcessError) as error:  # also where there is no such package manager
                print(f"{package}: {error}", flush=True)
    missing = [path for path in pictures() if not (folder / path).exists()]
    if missing:
        raise SystemExit(f"{len(missing)} pictures are missing, the first: {missing[0]}")


if __name__ == "__main__":
    main()
