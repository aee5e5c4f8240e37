"""Bringing one file: resumed, from several mirrors, checked, and visible under its name only when it is right.

The bytes go to ``<name>.part`` beside the target; SHA-256 and size are compared there; then one atomic rename. A lock
file keeps two processes from writing the same part. Built on httpx, which the interface installs anyway: pypdl 1.5.7
left cut and stalled downloads under the final name without an error, and did not resume a single-segment one.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.types import JobControl
from utils.errors import ChecksumMismatchError, JobCancelled, ModelDownloadError
from utils.files import sha256_of

_CHUNK = 1 << 18
_ATTEMPTS = 3
_LOOK_SECONDS = 0.1
_CANCELLED = "The download was cancelled; it resumes from here next time."
_SPARE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Transfer:
    """Who is told of a download, and who can cancel it.

    Attributes:
        progress: called with (bytes done, bytes in all or None).
    """

    progress: Callable[[int, int | None], None] | None = None
    control: JobControl = field(default_factory=JobControl)

    def report(self, done: int, total: int | None) -> None:
        """Tell ``progress``, where there is one."""
        if self.progress is not None:
            self.progress(done, total)

    def check(self) -> None:
        """Raise ``JobCancelled`` once the person has cancelled."""
        if self.control.cancelled:
            raise JobCancelled(_CANCELLED)


class _TryAgain(Exception):
    """One attempt failed in a way that another attempt or mirror may mend."""


def set_aside(path: Path) -> Path:
    """Move a wrong file into ``rejected/`` beside it, under a free name, and return where it is now."""
    folder = path.parent / "rejected"
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    os.replace(path, target)
    return target


def download(
    urls: Sequence[str],
    target: Path,
    sha256: str | None = None,
    size: int | None = None,
    transfer: Transfer | None = None,
    *,
    timeout: float = 30.0,
) -> str:
    """Download the first mirror that serves the right file to ``target``; returns its SHA-256.

    Args:
        urls: http(s) addresses of the same file, tried in turn.
        sha256, size: what the file must have; None where unknown.
        timeout: seconds without a byte after which an attempt counts as stalled.

    Raises:
        ModelDownloadError: every mirror failed; the message says how to place the file by hand.
        ChecksumMismatchError: a whole file came, but a wrong one; it was set aside.
        JobCancelled: the person cancelled; the part stays for resuming.
    """
    transfer = transfer or Transfer()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.with_name(f".{target.name}.lock"), transfer):
        if target.is_file() and (sha256 is None or sha256_of(target) == sha256):
            return sha256 or sha256_of(target)  # another process was faster
        part = target.with_name(f"{target.name}.part")
        _check_space(part, size or 0)
        faults: list[str] = []
        wrong: ChecksumMismatchError | None = None
        for url in urls:
            if urlsplit(url).scheme not in ("http", "https"):
                faults.append(f"{url}: only http and https are allowed")
                continue
            for attempt in range(_ATTEMPTS):
                try:
                    _fetch(url, part, size, transfer, timeout)
                    digest = _verify(part, target, sha256, size)
                    os.replace(part, target)
                    return digest
                except _TryAgain as fault:
                    transfer.check()
                    faults.append(f"{url}: {fault}")
                    time.sleep(min(2.0, 0.1 * 2**attempt))
                except ChecksumMismatchError as error:
                    wrong = error
                    faults.append(f"{url}: {error}")
                    break
                except OSError as error:
                    raise ModelDownloadError(f"Cannot write '{part}': {error.strerror or error}.") from error
        if wrong is not None:
            raise wrong
        raise ModelDownloadError(_advice(urls, target, faults, sha256))


@contextmanager
def _alone(path: Path, transfer: Transfer) -> Iterator[None]:
    """Hold a lock file; whoever waits for another download of the same file may give up."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=_LOOK_SECONDS)
            break
        except Timeout:
            transfer.check()
    try:
        yield
    finally:
        lock.release()


def _advice(urls: Sequence[str], target: Path, faults: list[str], sha256: str | None) -> str:
    where = " or ".join(urls) if urls else "its author (no address is known)"
    reason = f" Last fault: {faults[-1]}." if faults else ""
    check = f" Its SHA-256 must be {sha256}." if sha256 else ""
    return (
        f"'{target.name}' could not be downloaded.{reason} To place it by hand, get it from {where} "
        f"and save it as '{target}'.{check}"
    )


def _check_space(part: Path, size: int) -> None:
    """Raises ``ModelDownloadError`` where a file of ``size`` bytes does not fit; what ``part`` has takes no more."""
    free = shutil.disk_usage(part.parent).free
    needed = max(0, size - (part.stat().st_size if part.exists() else 0))
    if free < needed + _SPARE_BYTES:
        raise ModelDownloadError(
            f"Not enough disk space for '{part.stem}': {needed / 1e6:.0f} MB are needed in '{part.parent}', "
            f"{free / 1e6:.0f} MB are free."
        )


def _fetch(url: str, part: Path, size: int | None, transfer: Transfer, timeout: float) -> None:
    """Append to ``part`` what is missing. Raises ``_TryAgain`` when the connection did not bring all of it."""
    import httpx

    have = part.stat().st_size if part.exists() else 0
    if size is not None and have > size:
        part.unlink()
        have = 0
    if size is not None and have == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with (
            _cut_by_cancel(transfer.control) as trace,
            httpx.Client(headers=headers, timeout=timeout, follow_redirects=True) as client,
            client.stream("GET", url, extensions={"trace": trace}) as answer,
        ):
            if answer.status_code == 416:
                part.unlink(missing_ok=True)
                raise _TryAgain("the server could not resume; starting anew")
            if answer.status_code not in (200, 206):
                raise _TryAgain(f"the server answered {answer.status_code}")
            if "text/html" in answer.headers.get("content-type", ""):
                raise _TryAgain("the server sent a web page instead of the file")
            resumed = answer.status_code == 206 and _continues_at(answer.headers.get("content-range", ""), have)
            start = have if resumed else 0
            total = size or _length(answer.headers.get("content-length"), start)
            if size is None and total is not None:
                _check_space(part, total)
            _copy(answer.iter_raw(_CHUNK), part, start, total, size, transfer)
    except httpx.HTTPError as error:
        transfer.check()
        raise _TryAgain(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error


@contextmanager
def _cut_by_cancel(control: JobControl) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Waiting for a server that says nothing ends when the person cancels, not at the end of the time-out.

    Yields what httpx calls with the steps of a request (its extension "trace"): the sockets are learnt from it.
    """
    over = threading.Event()
    sockets: list[socket.socket] = []

    def trace(step: str, info: dict[str, Any]) -> None:
        if step.endswith((".connect_tcp.complete", ".start_tls.complete")):
            sockets.append(info["return_value"].get_extra_info("socket"))

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if control.cancelled and sockets:
                with suppress(OSError):  # closed already
                    sockets[-1].shutdown(socket.SHUT_RDWR)

    threading.Thread(target=watch, name="download-watch", daemon=True).start()
    try:
        yield trace
    finally:
        over.set()


def _continues_at(content_range: str, offset: int) -> bool:
    return content_range.startswith(f"bytes {offset}-")


def _length(header: str | None, start: int) -> int | None:
    return start + int(header) if header and header.isdigit() else None


def _copy(
    chunks: Iterator[bytes], part: Path, start: int, total: int | None, size: int | None, transfer: Transfer
) -> None:
    done = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        for chunk in chunks:
            transfer.check()
            done += len(chunk)
            if size is not None and done > size:
                break  # longer than it may be: the comparison of hashes refuses it
            file.write(chunk)
            transfer.report(done, total)
        file.flush()
        os.fsync(file.fileno())
    transfer.check()  # without a length, a line that was cut looks like the end of the file
    if total is not None and done < total:
        raise _TryAgain(f"the connection ended after {done} of {total} bytes")


def _verify(part: Path, target: Path, sha256: str | None, size: int | None) -> str:
    actual = part.stat().st_size
    digest = sha256_of(part)
    if (size is None or actual == size) and (sha256 is None or digest == sha256):
        return digest
    aside = set_aside(part)
    raise ChecksumMismatchError(
        f"'{target.name}' came with {actual} bytes and SHA-256 {digest}, but should have "
        f"{size if size is not None else 'any number of'} bytes and {sha256 or 'any hash'}. "
        f"It was not installed; it is kept as '{aside}'."
    )
