"""Names and addresses of machines."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean the machine itself."""
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_from_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether a request to a server on loopback was made on this machine, for an address of this machine.

    Such a server is still reached from outside through a proxy on this machine, and by a page of another site whose
    host name was pointed at 127.0.0.1 (DNS rebinding); their headers give them away.
    """
    if any(name in headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")):
        return False
    origin, host = headers.get("origin"), headers.get("host")
    try:
        named = [urlsplit(address).hostname for address in (origin, f"//{host}" if host else None) if address]
    except ValueError:
        return False
    return all(name is not None and is_loopback(name) for name in named)


__all__ = ["is_from_this_machine", "is_loopback"]
