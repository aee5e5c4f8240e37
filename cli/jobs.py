"""``jobs``: what a running server works on, listed, cancelled and moved."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from utils.addresses import is_loopback
from utils.errors import ServerError

if TYPE_CHECKING:
    from config import Config

app = typer.Typer(help="List, cancel and move the jobs of a running server.", no_args_is_help=True)

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # nosec B104: where a server listens
_SECONDS = 10.0

_Server = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="Address of the server, such as http://host:7860; by default the configured one. Its key is read from "
        "REALESRGAN_API_KEY.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Number of the job, as `jobs list` prints it.")]


class _Place(StrEnum):
    """Where a waiting job goes."""

    UP = "up"
    FRONT = "front"


@dataclass(frozen=True)
class _Client:
    """Asks the server. Raises ``ServerError`` with what it says, or that it is not there."""

    address: str
    key: str

    def __call__(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        import httpx

        headers = {"X-API-Key": self.key} if self.key else {}
        try:
            with httpx.Client(timeout=_SECONDS, headers=headers, trust_env=not self._is_here) as client:
                answer = client.request(method, self.address + path, json=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(
                f"No server answers at {self.address}: {error}. Start it, or name it by --server."
            ) from error
        if answer.is_success and not answer.content:
            return None
        try:
            told = answer.json()
            if answer.is_success:
                return told
            message = str(told["error"]["message"])
        except (ValueError, KeyError, TypeError) as error:
            raise ServerError(f"What answers at {self.address} is not this program ({answer.status_code}).") from error
        raise ServerError(message)

    @property
    def _is_here(self) -> bool:
        from urllib.parse import urlsplit

        return is_loopback(urlsplit(self.address).hostname or "")


def _client(server: str) -> _Client:
    from config import Config

    config = Config()
    if not config.api_key.isascii():
        raise ServerError("REALESRGAN_API_KEY holds signs that cannot be sent: letters, digits and ASCII signs can.")
    return _Client(_address(server, config), config.api_key)


def _address(server: str, config: Config) -> str:
    """The server's address without a slash at its end. Raises ``ServerError`` for what is none."""
    from urllib.parse import urlsplit

    if not server:
        host = _ANY.get(config.server_name, config.server_name)
        return f"http://{f'[{host}]' if ':' in host else host}:{config.server_port}"
    address = server if "://" in server else f"http://{server}"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ServerError(f"'{server}' is not the address of a server, such as http://127.0.0.1:7860.")
    return address.rstrip("/")


@app.command("list")
def list_jobs(server: _Server = "", as_json: _Json = False) -> None:
    """Jobs that run or wait: of the interface and of the REST API."""
    client = _client(server)
    told = client("GET", "/queue")
    if not isinstance(told, dict) or not isinstance(told.get("jobs"), list):
        raise ServerError(f"What answers at {client.address} is not this program.")
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    if not told["jobs"]:
        print("Nothing runs or waits.")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("Number", "Kind", "From", "File", "State", "Progress", "Running", "Left")
    for job in told["jobs"]:
        table.add_row(*map(escape, _cells(job, time.time())))
    Console().print(table)


def _cells(job: dict[str, Any], now: float) -> tuple[str, ...]:
    waits = job["state"] in ("queued", "waiting")
    state = f"{job['state']}, place {job['position']}" if waits and job["position"] else job["state"]
    running = _time(now - job["started"]) if job["started"] else ""
    left = f"about {_time(job['eta_seconds'])}" if job["eta_seconds"] is not None else ""
    progress = "" if waits else f"{job['progress']:.0%}"
    return str(job["number"]), job["kind"], job["source"], job["name"] or "", state, progress, running, left


def _time(seconds: float) -> str:
    """``42 s``, ``3 min 05 s`` or ``2 h 07 min``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@app.command()
def cancel(
    numbers: Annotated[
        list[int], typer.Argument(metavar="NUMBER...", min=1, help="Numbers, as `jobs list` prints them.")
    ],
    server: _Server = "",
    as_json: _Json = False,
) -> None:
    """Cancel jobs. What runs ends after its current tile; a film keeps what is done."""
    ask = _client(server)
    for number in numbers:
        ask("DELETE", f"/queue/{number}")
        print(json.dumps({"number": number, "cancelled": True}) if as_json else f"Job {number}: cancelled", flush=True)


@app.command()
def move(
    number: _Number,
    to: Annotated[_Place, typer.Option(help="One place up, or to the front of its queue.")] = _Place.FRONT,
    server: _Server = "",
    as_json: _Json = False,
) -> None:
    """Let a waiting job run earlier."""
    ask = _client(server)
    ask("POST", f"/queue/{number}/move", {"to": to.value})
    place = next((job["position"] for job in ask("GET", "/queue")["jobs"] if job["number"] == number), None)
    if as_json:
        print(json.dumps({"number": number, "position": place}))
    else:
        print(f"Job {number}: place {place}" if place else f"Job {number}: runs now")
