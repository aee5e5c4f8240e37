"""A language that a person chose: a cookie that handlers and pages follow."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.language import ChosenLanguage
from ui.strings import COOKIE, LANGUAGES, words_for

PAGE = "<!doctype html><html><head><title>ä</title></head><body>" + "x" * 2000 + "</body></html>"


@pytest.fixture
def client() -> TestClient:
    """A page, compressed where a browser allows it, and other answers."""
    routes = [
        Route("/", lambda request: HTMLResponse(PAGE)),
        Route("/bare", lambda request: HTMLResponse("no such element")),
        Route("/data", lambda request: JSONResponse({"text": "<head>"})),
    ]
    made = Starlette(routes=routes, middleware=[Middleware(ChosenLanguage), Middleware(GZipMiddleware)])
    return TestClient(made)


def get(client, path: str, language: str | None, accept: str = "text/html,*/*"):
    cookie = {"cookie": f"other=1; {COOKIE}={language}"} if language is not None else {}
    return client.get(path, headers={"accept": accept, **cookie})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_comes_in_the_chosen_language(client, language):
    answer = get(client, "/", language)
    script = f'<head><script>Object.defineProperty(navigator, "language", {{ value: "{language}"'
    assert script in answer.text and answer.text.endswith("</html>") and "ä" in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("language", [None, "", "xx", '"><script>', "de-AT"])
def test_without_a_choice_that_is_known_pages_pass_as_they_are(client, language):
    answer = get(client, "/", language)
    assert answer.text == PAGE and answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/data", "/bare"])
def test_what_has_no_head_passes_as_it_is(client, path):
    assert "defineProperty" not in get(client, path, "de").text


def test_what_is_no_page_for_a_person_passes_as_it_is(client):
    assert get(client, "/", "de", accept="*/*").text == PAGE


@pytest.mark.parametrize(
    ("cookies", "language"), [({COOKIE: "de"}, "de"), ({COOKIE: "xx"}, "en"), ({}, "en"), (None, "en")]
)
def test_sentences_follow_the_choice_before_the_browser(cookies, language):
    asked = SimpleNamespace(headers={"accept-language": "en-GB"}, cookies=cookies)
    assert words_for(asked).language == language
