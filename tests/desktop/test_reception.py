"""Until the program is there its address answers: people with a page, programs with 503; and nobody is lost when it comes."""

from __future__ import annotations

import contextlib
import errno
import html
import socket
import threading
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.server import GracefulServer
from desktop.address import Address
from desktop.guard import Keys
from desktop.reception import Reception, listen
from desktop.words import NAME, TEXTS, text
from tests.waiting import LONG, until

PEOPLE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def sockets():
    made = listen("127.0.0.1", 0)
    yield made
    for one in made:
        one.close()


@pytest.fixture
def address(sockets):
    return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


@pytest.fixture
def reception(sockets):
    with Reception(sockets) as made:
        yield made


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,de;q=0.9", "de"), ("fr,de;q=0.8", "de"), ("es-MX", "es"), ("en-GB", "en"), ("fr", "en")],
)
def test_people_see_name_and_purpose_in_their_language(reception, address, accepted, language):
    answer = httpx.get(f"{address}/some/where?open=x", headers={**PEOPLE, "Accept-Language": accepted})
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    shown = html.unescape(answer.text)
    assert f'lang="{language}"' in shown and NAME in shown
    for key in ("comment", "starting", "starting_ended"):
        assert text(key, language) in shown


def test_the_page_needs_nothing_from_elsewhere_and_knows_no_address(reception, address):
    answer = httpx.get(address, headers=PEOPLE)
    for part in ("src=", "href=", "http:", "https:", "url(", "@import"):
        assert part not in answer.text.replace("location.href", "")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "prefers-color-scheme: dark" in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/event-stream", ""])
@pytest.mark.parametrize("path", ["/health", "/ready", "/prefix/upscale", "/gradio_api/queue/data", "/"])
def test_programs_are_told_to_come_again(reception, address, path, accept):
    answer = httpx.get(address + path, headers={"Accept": accept})
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert answer.json()["error"]["type"] == "StartingError"


def test_an_upload_is_read_to_its_end_and_answered(reception, address):
    answer = httpx.post(f"{address}/upscale", content=bytes(3_000_000), headers=PEOPLE, timeout=LONG)
    assert answer.status_code == 503 and "starting" in answer.json()["error"]["message"]


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_a_head_has_no_body(reception, sockets, accept):
    with socket.create_connection(sockets[0].getsockname(), timeout=LONG) as visitor:
        visitor.sendall(f"HEAD / HTTP/1.1\r\nAccept: {accept}\r\n\r\n".encode())
        head, body = visitor.makefile("rb").read().split(b"\r\n\r\n")
    assert b" 503 " in head and b"Content-Length: 0" not in head and body == b""


@pytest.mark.parametrize("said", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET x HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\r\n\r\n"])
def test_what_is_no_http_is_told_so(reception, sockets, said):
    with socket.create_connection(sockets[0].getsockname(), timeout=LONG) as visitor:
        visitor.sendall(said)
        assert visitor.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_one_who_says_nothing_keeps_nobody_else_waiting(reception, sockets, address):
    with socket.create_connection(sockets[0].getsockname()):
        assert httpx.get(address).status_code == 503


def test_who_has_begun_to_speak_before_it_closed_is_answered(sockets, address):
    with Reception(sockets) as reception:
        early = socket.create_connection(sockets[0].getsockname(), timeout=LONG)
        early.sendall(b"GET / HTTP")
        assert httpx.get(address).status_code == 503  # came later, so the other one is received as well
        assert reception.close() == []
        reception.close()
        early.sendall(b"/1.1\r\n\r\n")
        with early, early.makefile("rb") as said:
            assert said.readline() == b"HTTP/1.1 503 Service Unavailable\r\n"


# -- a window's ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(sockets):
    made = Keys()
    with Reception(sockets, made) as reception:
        reception.language = "de"
        yield made


@pytest.mark.parametrize("path", ["/", "/health", "/?token=guessed", "/?ticket="])
def test_a_windows_address_answers_nobody_else(keys, address, path):
    answer = httpx.get(address + path, headers=PEOPLE)
    assert answer.status_code == 403 and answer.text == text("refused", "de")
    assert httpx.post(f"{address}/?token={keys.token}").status_code == 403


@pytest.mark.parametrize("of", [Address.for_window, Address.for_browser])
def test_its_window_and_its_browser_are_let_in_for_good(keys, sockets, of):
    where = Address("127.0.0.1", sockets[0].getsockname()[1], keys, guarded=True)
    with httpx.Client(headers=PEOPLE) as visitor:
        sent_on = visitor.get(of(where, "a key"))
        assert sent_on.status_code == 303 and sent_on.headers["location"] == "/?open=a+key"
        assert keys.token not in str(sent_on.headers) and "HttpOnly" in sent_on.headers["set-cookie"]
        answer = visitor.get(where.base + sent_on.headers["location"], headers={"Accept-Language": "en"})
        assert answer.status_code == 503 and text("starting", "de") in html.unescape(answer.text)


def test_an_address_can_not_lead_to_another_site(keys, address):
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=LONG) as visitor:
        visitor.sendall(f"GET //elsewhere.example/?token={keys.token} HTTP/1.1\r\n\r\n".encode())
        assert b"\r\nLocation: /elsewhere.example/\r\n" in visitor.makefile("rb").read()


# -- taking over ---------------------------------------------------------------------------------------------------------


class Visitor(threading.Thread):
    """Comes again and again, each time by a new connection, until the program has answered; notes each answer."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.answers = address, []

    def run(self):
        while 200 not in self.answers:
            try:
                self.answers.append(httpx.post(self.address, content=b"x" * 1000, timeout=LONG).status_code)
            except httpx.HTTPError as error:
                self.answers.append(error)
                return


@contextlib.contextmanager
def taken_over(reception):
    """The server as the program has it, in the reception's place."""
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("there"), methods=["GET", "POST"])])
    server = GracefulServer(uvicorn.Config(app, log_config=None), SimpleNamespace(), taking_over=reception.close)
    thread = threading.Thread(target=server.run, args=(reception.sockets,))
    thread.start()
    until(lambda: server.started)
    yield
    server.should_exit = True
    thread.join()


def test_the_program_takes_over_and_no_request_is_lost(reception, address):
    visitors = [Visitor(address) for _ in range(8)]
    for one in visitors:
        one.start()
    until(lambda: all(len(one.answers) >= 3 for one in visitors))
    with taken_over(reception):
        for one in visitors:
            one.join(LONG)
    for one in visitors:
        assert one.answers[-1] == 200 and set(one.answers[:-1]) == {503}, one.answers


def test_who_came_early_and_speaks_late_is_the_programs_visitor(reception, sockets, address):
    """Browsers connect ahead, and ask for parts of the program's page by such connections."""
    early = [socket.create_connection(sockets[0].getsockname(), timeout=LONG) for _ in range(5)]
    assert httpx.get(address).status_code == 503  # came later, so the others are received as well
    early.pop().close()
    with taken_over(reception):
        for one in early:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with one, one.makefile("rb") as said:
                assert said.read().endswith(b"there")


def test_who_comes_in_between_waits(reception, address):
    reception.close()
    answers = []
    visitor = threading.Thread(target=lambda: answers.append(httpx.get(address, timeout=LONG).text), daemon=True)
    visitor.start()
    with taken_over(reception):
        visitor.join(LONG)
    assert answers == ["there"]


# -- the address ---------------------------------------------------------------------------------------------------------


def test_an_address_that_is_taken_is_named(sockets):
    host, port = sockets[0].getsockname()
    with pytest.raises(OSError, match=rf"\('127.0.0.1', {port}\): address already in use") as caught:
        listen(host, port)
    assert caught.value.errno == errno.EADDRINUSE


def test_one_that_is_elsewhere_is_named():
    with pytest.raises(OSError, match=r"203\.0\.113\.9"):
        listen("203.0.113.9", 0)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "localhost"])
def test_all_that_a_name_stands_for_is_listened_on(host):
    made = listen(host, 0)
    try:
        assert {one.family for one in made} >= {socket.AF_INET}
        (four,) = (one for one in made if one.family == socket.AF_INET)
        socket.create_connection(("127.0.0.1", four.getsockname()[1]), timeout=LONG).close()
    finally:
        for one in made:
            one.close()


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("", "http://127.0.0.1:1"),
    ],
)
def test_where_this_machine_reaches_it(host, base):
    where = Address(host, 1, Keys(), guarded=False)
    assert where.base == base and where.for_browser() == f"{base}/" and where.for_browser("k") == f"{base}/?open=k"


def test_every_language_says_it():
    assert all(TEXTS[language][key] for language in TEXTS for key in ("starting", "starting_ended"))
