"""Fetching a picture or a film by its address, without being turned against the network this server stands in.

Only http and https; the name is resolved once and the connection goes to that very address, so a second answer of the
name server changes nothing; every address must be public; every redirect is checked like the first request; size and
time are capped while the bytes arrive.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx

from utils.errors import ImageTooLargeError, InvalidImageError

MAX_REDIRECTS = 4
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}

# is_global lets these through, in some versions of Python at least: protocol assignments, and translators and tunnels
# that carry an IPv4 address inside an IPv6 one.
_INNER = tuple(
    ipaddress.ip_network(net)
    for net in (
        "192.0.0.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "::/96",
        "fec0::/10",
    )
)

Resolver = Callable[[str, int], Iterable[str]]
"""(host, port) -> addresses as text. Raises ``OSError`` where the name is unknown."""


class AddressRefusedError(InvalidImageError):
    """The address is not one that this server fetches from."""


@dataclass(frozen=True)
class FetchLimits:
    """What one fetch may cost, and what is looked for: a word for people, and for the other server."""

    max_bytes: int
    seconds: float = 20.0
    what: str = "picture"
    accept: str = "image/*, application/pdf"


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses that the system's own resolver gives."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def public_address(text: str) -> str:
    """The address, if everyone on the internet may reach it. Raises ``AddressRefusedError``."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        raise AddressRefusedError(f"'{text}' is not an internet address.") from None
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    judged = inner or address
    listed = any(judged.version == net.version and judged in net for net in _INNER)
    if listed or not judged.is_global or judged.is_multicast or judged.is_reserved or inner is not None:
        raise AddressRefusedError(f"'{text}' is an address inside a network; only public addresses are fetched.")
    return str(address)


@dataclass(frozen=True)
class Target:
    """A checked address: where to connect to (``ip``), and what to say there."""

    url: httpx.URL
    host: str
    ip: str
    port: int


def check_url(url: str, resolve: Resolver = system_resolver, allowed_hosts: frozenset[str] = frozenset()) -> Target:
    """Check an address and resolve its name, once.

    Args:
        allowed_hosts: names that are trusted although their addresses are not public.

    Raises:
        AddressRefusedError: with the reason.
    """
    if len(url) > 2048 or any(ord(sign) <= 32 or ord(sign) == 127 for sign in url) or "\\" in url:
        raise AddressRefusedError("The address holds signs that no address has, or is too long.")
    try:
        parts, parsed = urlsplit(url), httpx.URL(url)
        port = parts.port
    except (ValueError, httpx.InvalidURL) as error:
        raise AddressRefusedError(f"'{url}' is not a web address.") from error
    if parts.scheme not in _PORTS:
        raise AddressRefusedError(f"Only http and https are fetched, not '{parts.scheme or url[:20]}'.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("An address with a user name or a password in it is not fetched.")
    host = parsed.raw_host.decode("ascii").strip("[]").rstrip(".").lower()
    if not host:
        raise AddressRefusedError(f"'{url}' names no host.")
    port = port or _PORTS[parts.scheme]
    try:
        addresses = list(resolve(host, port))
    except (OSError, UnicodeError) as error:
        raise AddressRefusedError(f"The host '{host}' was not found.") from error
    if not addresses:
        raise AddressRefusedError(f"The host '{host}' has no address.")
    if host not in allowed_hosts:
        # All of them: a name that also points inward is not to be trusted with the choice.
        addresses = [public_address(address) for address in addresses]
    return Target(parsed, host, addresses[0], port)


def fetch(
    url: str,
    limits: FetchLimits,
    *,
    resolve: Resolver = system_resolver,
    transport: httpx.AsyncBaseTransport | None = None,
) -> bytes:
    """The bytes behind an address. Blocks: call it from a thread.

    Raises:
        AddressRefusedError: the address, or one it redirects to, is not fetched from.
        ImageTooLargeError: more than ``limits.max_bytes``.
        InvalidImageError: anything else that went wrong, in a sentence.
    """
    body = io.BytesIO()
    fetch_into(body, url, limits, resolve=resolve, transport=transport)
    return body.getvalue()


def fetch_into(
    target: BinaryIO,
    url: str,
    limits: FetchLimits,
    *,
    resolve: Resolver = system_resolver,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Write the bytes behind an address as they arrive. All as ``fetch``; what went wrong may leave a part."""
    asyncio.run(_fetch(target, url, limits, resolve, transport))


async def _fetch(
    target: BinaryIO, url: str, limits: FetchLimits, resolve: Resolver, transport: httpx.AsyncBaseTransport | None
) -> None:
    try:
        # One deadline for all of it: a host that sends a byte of its headers now and then would hold a thread for ever.
        async with (
            asyncio.timeout(limits.seconds),
            # trust_env=False: a proxy from the environment would connect wherever it likes, past all checks.
            httpx.AsyncClient(transport=transport, trust_env=False, timeout=limits.seconds) as client,
        ):
            for _ in range(MAX_REDIRECTS + 1):
                place = check_url(url, resolve)
                async with client.stream("GET", pinned(place), **request_details(place, limits.accept)) as response:
                    if response.status_code not in _REDIRECTS:
                        await _body(response, limits, target)
                        return
                    url = urljoin(str(place.url), response.headers.get("location", ""))
    except TimeoutError:
        raise InvalidImageError(f"The address took longer than {limits.seconds:g} seconds.") from None
    except httpx.HTTPError as error:
        raise InvalidImageError(f"The address could not be fetched: {error or type(error).__name__}.") from error
    raise AddressRefusedError(f"The address redirects more than {MAX_REDIRECTS} times.")


def pinned(target: Target) -> httpx.URL:
    """The same request, to the address that was checked."""
    return target.url.copy_with(host=target.ip)


def request_details(target: Target, accept: str = "*/*") -> dict[str, Any]:
    """The host's name in the request and in the certificate check, though the connection goes to its address."""
    netloc = target.url.netloc.decode("ascii")
    return {
        "headers": {
            "Host": netloc,
            "User-Agent": "Real-ESRGAN-Ultimate",
            "Accept": accept,
            "Accept-Encoding": "identity",
        },
        "extensions": {"sni_hostname": target.host},
    }


async def _body(response: httpx.Response, limits: FetchLimits, target: BinaryIO) -> None:
    if response.status_code != 200:
        raise InvalidImageError(f"The address answered {response.status_code}, not with a {limits.what}.")
    if response.headers.get("content-encoding", "identity") not in ("identity", ""):
        raise InvalidImageError("The answer is compressed, though that was not asked for.")
    size = 0
    async for block in response.aiter_raw():
        size += len(block)
        if size > limits.max_bytes:
            raise ImageTooLargeError(f"The address holds more than {limits.max_bytes / 1e6:g} MB, which is the limit.")
        target.write(block)


__all__ = [
    "AddressRefusedError",
    "FetchLimits",
    "Resolver",
    "Target",
    "check_url",
    "fetch",
    "fetch_into",
    "public_address",
]
