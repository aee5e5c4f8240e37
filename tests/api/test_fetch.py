"""Pictures by address: everything that leads inward is refused, at the first request and at each redirect.

No real network: names are resolved by a table, and requests go to a transport that records them.
"""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from api.fetch import AddressRefusedError, FetchLimits, check_url, fetch, public_address, system_resolver
from utils.errors import ImageTooLargeError, InvalidImageError

PUBLIC = "93.184.216.34"
LIMITS = FetchLimits(max_bytes=1000, seconds=5)
NAMES = {
    "good.example": [PUBLIC],
    "good6.example": ["2606:2800:220:1:248:1893:25c8:1946"],
    "inner.example": ["10.0.0.8"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.8"],
    "metadata.google.internal": ["169.254.169.254"],
    "localhost": ["127.0.0.1"],
    "empty.example": [],
}


async def sent(*parts):
    """A body that arrives in parts."""
    for part in parts:
        yield part


def resolve(host, port):
    """The table; numbers are read by the system, which knows 127.1 and 0x7f000001 too and asks nobody."""
    if host in NAMES:
        return NAMES[host]
    return [entry[4][0] for entry in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]


REFUSED = [
    "http://0.0.0.0/", "http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://017700000001/",
    "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://127.0.0.1:7860/", "http://localhost/",
    "http://LOCALHOST/", "http://localhost./", "http://[::]/", "http://[::1]/", "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::1]/", "http://[2002:7f00:1::]/", "http://[2001:0:1::1]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/",
    "http://[100::1]/", "http://10.1.2.3/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/", "http://100.64.0.1/",
    "http://100.127.255.254/", "http://192.0.0.192/", "http://192.0.2.1/", "http://198.18.0.1/", "http://198.51.100.1/",
    "http://203.0.113.1/", "http://224.0.0.1/", "http://240.0.0.1/", "http://255.255.255.255/", "http://user@good.example/",
    "http://good.example:80@127.0.0.1/", "http://user:word@good.example/", "http://127.0.0.1#@good.example/",
    "http://127.0.0.1\\@good.example/", "http://inner.example/", "http://both.example/", "http://mapped.example/",
    "http://unknown.example/", "http://empty.example/", "file:///etc/passwd", "data:image/png;base64,AAAA",
    "gopher://good.example/", "ftp://good.example/", "dict://good.example:11211/", "javascript:alert(1)", "//good.example/",
    "good.example", "http://", "http:///etc/passwd", "http://good.example:99999/", "http://good.example:port/",
    "http://good.example/\r\nX: y", "http://good .example/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://[::1",
    "http://%31%32%37.0.0.1/", "jar:http://good.example!/", "", "http://" + "a" * 3000,
]  # fmt: skip


def never(request):
    raise AssertionError(f"a request went out to {request.url}")


def test_the_list_is_long_enough():
    assert len(set(REFUSED)) >= 40


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_lead_inward_are_refused_before_any_request(url):
    with pytest.raises(AddressRefusedError):
        fetch(url, LIMITS, resolve=resolve, transport=httpx.MockTransport(never))


@pytest.mark.parametrize("url", [url for url in REFUSED if url.startswith("http")][:55])
def test_and_at_every_redirect(url):
    """good -> good -> the trick: two requests, no third."""
    seen = []

    def answer(request):
        seen.append(request)
        location = "http://good.example/2" if len(seen) == 1 else url
        return httpx.Response(302, headers={"location": location.encode("utf-8")})

    with pytest.raises(InvalidImageError):
        fetch("http://good.example/1", LIMITS, resolve=resolve, transport=httpx.MockTransport(answer))
    assert {request.url.host for request in seen} == {PUBLIC}


def test_the_connection_goes_to_the_address_that_was_checked():
    """A name server that answers differently the second time is never asked a second time."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(200, content=sent(b"pict", b"ure"))

    body = fetch(
        "https://rebind.example/a.png",
        LIMITS,
        resolve=lambda host, port: next(answers),
        transport=httpx.MockTransport(answer),
    )
    assert body == b"picture"
    assert seen[0].url.host == PUBLIC and seen[0].headers["host"] == "rebind.example"
    assert seen[0].extensions["sni_hostname"] == "rebind.example"


def test_rebinding_between_redirects_is_refused():
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    transport = httpx.MockTransport(lambda request: httpx.Response(302, headers={"location": "/again"}))
    with pytest.raises(AddressRefusedError):
        fetch("http://rebind.example/", LIMITS, resolve=lambda host, port: next(answers), transport=transport)


def test_public_addresses_of_both_kinds_are_fetched():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=sent(b"x")))
    for host in ("good.example", "good6.example", PUBLIC):
        assert fetch(f"http://{host}/a.png", LIMITS, resolve=resolve, transport=transport) == b"x"


def test_size_is_capped_while_streaming_whatever_the_header_says():
    async def endless():
        while True:
            yield b"0" * 100

    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers={"content-length": "10"}, content=endless())
    )
    with pytest.raises(ImageTooLargeError):
        fetch("http://good.example/", LIMITS, resolve=resolve, transport=transport)


def test_time_is_capped_while_streaming():
    async def slow():
        while True:
            await asyncio.sleep(0.02)
            yield b"0"

    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=slow()))
    with pytest.raises(InvalidImageError, match="longer than"):
        fetch("http://good.example/", FetchLimits(10**6, 0.2), resolve=resolve, transport=transport)


def test_time_is_capped_before_the_first_header():
    """Each byte of a trickling header would start a time-out for single reads anew."""

    async def never_ready(request):
        await asyncio.sleep(3600)

    transport = httpx.MockTransport(never_ready)
    with pytest.raises(InvalidImageError, match="longer than"):
        fetch("http://good.example/", FetchLimits(10**6, 0.2), resolve=resolve, transport=transport)


@pytest.mark.parametrize("status", [204, 304, 404, 500])
def test_other_answers_are_explained(status):
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    with pytest.raises(InvalidImageError, match=str(status)):
        fetch("http://good.example/", LIMITS, resolve=resolve, transport=transport)


def test_redirects_end():
    transport = httpx.MockTransport(lambda request: httpx.Response(302, headers={"location": "/"}))
    with pytest.raises(AddressRefusedError, match="redirects"):
        fetch("http://good.example/", LIMITS, resolve=resolve, transport=transport)


def test_a_compressed_answer_is_not_unpacked():
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, content=sent(b"bomb"))
    )
    with pytest.raises(InvalidImageError, match="compressed"):
        fetch("http://good.example/", LIMITS, resolve=resolve, transport=transport)


def test_hosts_of_ones_own_can_be_allowed_by_name():
    target = check_url("http://inner.example/hook", resolve, frozenset({"inner.example"}))
    assert target.ip == "10.0.0.8"


def test_the_system_resolver_reads_numbers():
    assert system_resolver("127.0.0.1", 80) == ["127.0.0.1"]
    assert public_address(PUBLIC) == PUBLIC
