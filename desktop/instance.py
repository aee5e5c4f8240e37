"""The program that is running already: found through a file in the data folder, asked whether it really is it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from desktop.guard import proof_of, same
from utils.errors import EngineError

FILE = "running.json"
PATH = "/desktop/open"
"""Where a running program answers those who know its token."""
TOKEN_HEADER = "X-Desktop-Token"  # the header's name, no secret  # nosec B105
_SECONDS = 10.0


class HandOverError(EngineError):
    """The program that runs already did not take what was to be opened."""


@dataclass(frozen=True)
class Instance:
    """One running program: where it answers and what it is asked with. ``window``: it has a window of its own."""

    address: str
    token: str
    window: bool
    pid: int

    def write(self, folder: Path) -> None:
        """Leave a note of it in ``folder``, for this person's eyes only (mode 0600), whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{FILE}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(self), file)
            os.replace(temporary, folder / FILE)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, folder: Path) -> None:
        """Take the note away, unless another program has written its own since."""
        if noted(folder) == self:
            with contextlib.suppress(OSError):
                (folder / FILE).unlink()

    def responds(self) -> bool:
        """Whether that program still runs, and not another one where it was."""
        challenge = secrets.token_urlsafe(16)
        try:
            said = _ask(f"{self.address}{PATH}?challenge={challenge}")
        except (OSError, ValueError):
            return False
        return same(str(said.get("proof", "")), proof_of(self.token, challenge))

    def hand_over(self, paths: Sequence[Path]) -> str | None:
        """Let it open files and folders, and come to the front.

        Returns:
            the address to open in a browser, or None where it has shown them itself.

        Raises:
            HandOverError: it refused, or ended meanwhile.
        """
        body = json.dumps({"paths": [os.fspath(path) for path in paths]}).encode()
        try:
            said = _ask(f"{self.address}{PATH}", body, {TOKEN_HEADER: self.token, "Content-Type": "application/json"})
        except (OSError, ValueError) as error:
            raise HandOverError(
                f"The program that runs at {self.address} did not open them ({error}). End it, and try again."
            ) from error
        address = said.get("address")
        return None if address is None else str(address)


def noted(folder: Path) -> Instance | None:
    """What the note in ``folder`` says, true or not; None where there is none that can be read."""
    try:
        content = json.loads((folder / FILE).read_text("utf-8"))
        return Instance(
            str(content["address"]), str(content["token"]), bool(content["window"]), int(content.get("pid", 0))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running(folder: Path) -> Instance | None:
    """The program that runs with this data folder. The note of one that was killed is taken away."""
    found = noted(folder)
    if found is None or found.responds():
        return found
    found.remove(folder)
    return None


def _ask(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """A JSON answer. No proxy is asked, and no redirect leads elsewhere."""
    if not address.startswith("http://"):
        raise ValueError(f"'{address}' is no address of this program")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address, body, headers or {})
    with opener.open(request, timeout=_SECONDS) as answer:
        content = json.loads(answer.read(1_000_000))
    if not isinstance(content, dict):
        raise ValueError("the answer is none of this program's")
    return content


__all__ = ["FILE", "PATH", "TOKEN_HEADER", "HandOverError", "Instance", "noted", "running"]
