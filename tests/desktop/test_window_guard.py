"""A server that belongs to one window answers nobody else, and its token never stays in an address."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from desktop.guard import InLanguage, Keys, TokenGuard, proof_of


async def page(request):
    return PlainTextResponse(f"{request.url.query}|{request.headers.get('accept-language', '')}")


async def talk(websocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def app(keys):
    made = Starlette(routes=[Route("/", page), Route("/free", page), WebSocketRoute("/talk", talk)])
    made.add_middleware(TokenGuard, keys=keys, unguarded=frozenset(("/free",)))
    return made


@pytest.fixture
def visitor(app):
    return TestClient(app, base_url="http://127.0.0.1:7000")


@pytest.mark.parametrize(
    "address", ["/", "/?token=", "/?token=wrong", "/?ticket=", "/?token=%F0%9F%98%80", "/gradio_api/info"]
)
def test_who_brings_nothing_is_refused(visitor, address):
    assert visitor.get(address).status_code == 403
    assert visitor.post(address).status_code == 403


def test_the_refusal_speaks_the_visitors_language(visitor):
    assert "Fenster" in visitor.get("/", headers={"Accept-Language": "fr,de;q=0.8"}).text
    assert "window" in visitor.get("/").text


def test_the_token_lets_in_for_good_and_leaves_the_address(visitor, keys):
    first = visitor.get(f"/?token={keys.token}&open=a%2Fb", follow_redirects=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/?open=a%2Fb"
    assert "HttpOnly" in first.headers["set-cookie"] and "SameSite=strict" in first.headers["set-cookie"]
    assert keys.token not in first.headers["set-cookie"]
    assert visitor.get("/?open=a").text.startswith("open=a|")
    assert visitor.post("/").status_code == 405  # let in: the page itself takes no POST


def test_a_token_in_a_post_lets_nobody_in(visitor, keys):
    """A page of another site could send a form; it could not follow the address."""
    assert visitor.post(f"/?token={keys.token}").status_code == 403


def test_a_ticket_serves_once(app, keys):
    ticket = keys.ticket()
    first, second = (TestClient(app, base_url="http://127.0.0.1:7000") for _ in range(2))
    assert first.get(f"/?ticket={ticket}").status_code == 200
    assert second.get(f"/?ticket={ticket}").status_code == 403
    assert first.get("/").status_code == 200


def test_a_ticket_is_good_for_a_short_time(visitor, keys, monkeypatch):
    ticket = keys.ticket()
    monkeypatch.setattr("desktop.guard._TICKET_SECONDS", -1.0)
    late = keys.ticket()
    assert visitor.get(f"/?ticket={late}").status_code == 403
    assert visitor.get(f"/?ticket={ticket}").status_code == 200


def test_the_cookie_is_of_one_start_and_one_port(app, keys):
    visitor = TestClient(app, base_url="http://127.0.0.1:7000")
    visitor.get(f"/?token={keys.token}")
    (name,) = visitor.cookies.keys()
    assert name == "realesrgan_7000"
    assert TestClient(app, base_url="http://127.0.0.1:7000", cookies={name: Keys().cookie}).get("/").status_code == 403
    assert TestClient(app, base_url="http://127.0.0.1:7001", cookies={name: keys.cookie}).get("/").status_code == 403


def test_websockets_are_guarded_alike(visitor, keys):
    with pytest.raises(WebSocketDisconnect), visitor.websocket_connect("ws://127.0.0.1:7000/talk"):
        pass
    visitor.get(f"/?token={keys.token}")
    with visitor.websocket_connect("ws://127.0.0.1:7000/talk") as socket:
        assert socket.receive_text() == "hello"


def test_what_asks_for_the_token_itself_is_left_to_it(visitor):
    assert visitor.get("/free").status_code == 200


def test_only_who_knows_the_token_can_prove_it(keys):
    assert keys.proof("a question") == proof_of(keys.token, "a question")
    assert keys.proof("a question") not in (proof_of(Keys().token, "a question"), keys.proof("another"), keys.cookie)


def test_a_window_speaks_the_desktops_language():
    app = Starlette(routes=[Route("/", page)])
    app.add_middleware(InLanguage, language="de")
    assert TestClient(app).get("/", headers={"Accept-Language": "en"}).text == "|de"
