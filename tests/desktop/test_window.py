"""A window of its own: it shows the page and what it is given, answers nobody else, and asks before it ends work."""

from __future__ import annotations

import http.cookiejar
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from desktop.instance import noted, running
from desktop.window import NoWebViewError, find_web_view
from tests.desktop.deaf import DEAF
from tests.gate import Gate
from tests.pictures import shade
from tests.ports import free_port
from tests.waiting import LONG, until

ACCENT = (15, 118, 110)
"""Of the page's main button."""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="windows are looked at on an X server")


@pytest.fixture
def window(program, web_view):
    """The program with a display; ``web_view`` skips where there can be no window."""
    program.environment |= web_view.environment
    return program


def picture(path, color):
    """A picture of about one colour that is seen on a screen from far."""
    Image.fromarray((shade(0, 400, 300) + np.array(color)).astype(np.uint8)).save(path)
    return path


def visitor():
    """A browser with a cookie jar of its own, and no proxy."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    return urllib.request.build_opener(jar, urllib.request.ProxyHandler({}))


def answers(opener, address):
    """The status of the answer."""
    try:
        with opener.open(address, timeout=LONG) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_it_opens_with_a_picture_takes_another_and_ends_when_it_is_closed(window, web_view, data, tmp_path):
    first, second = picture(tmp_path / "first.png", (220, 30, 200)), picture(tmp_path / "zwei ü.png", (30, 60, 220))
    process = window.start("--window", first)
    until(lambda: web_view.shows((220, 30, 200)) or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    found = running(data)
    assert found is not None and found.window

    assert answers(visitor(), found.address) == 403
    assert answers(visitor(), f"{found.address}/health") == 403
    assert answers(visitor(), f"{found.address}/?token=guessed") == 403
    assert answers(visitor(), f"{found.address}/?token={found.token}") == 200

    code, output, errors = window("--window", second)
    assert (code, output.strip()) == (0, "Real-ESRGAN Ultimate is open already."), errors
    until(lambda: web_view.shows((30, 60, 220)))
    assert not web_view.shows((220, 30, 200), 60_000)

    (shown,) = web_view.windows()
    web_view.close(shown)
    process.communicate(timeout=LONG)
    assert process.returncode == 0
    assert noted(data) is None


def post_job(found, photo):
    """A job through the API of the window's server."""
    opener = visitor()
    assert answers(opener, f"{found.address}/?token={found.token}") == 200
    boundary = "b0undary"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="p.png"\r\n\r\n'.encode()
    body += photo.read_bytes() + f"\r\n--{boundary}\r\nContent-Disposition: form-data; ".encode()
    body += f'name="model"\r\n\r\ntiny-x4\r\n--{boundary}--\r\n'.encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with opener.open(urllib.request.Request(f"{found.address}/jobs", body, kind), timeout=LONG) as answer:
        assert answer.status == 202
    return opener


def test_it_asks_before_it_ends_what_runs(window, web_view, data, tmp_path):
    gate = Gate(tmp_path / "gate")
    gate.close()
    photo = picture(tmp_path / "photo.png", (220, 30, 200))
    process = window.start("--window", gate=gate)
    until(lambda: web_view.shows(ACCENT) or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    (shown,) = web_view.windows()
    post_job(running(data), photo)
    gate.wait_for_windows()

    def asked():
        return next((one for one in web_view.windows() if one.id != shown.id), None)

    web_view.close(shown)
    until(asked)
    web_view.close(asked())  # as "No"
    until(lambda: asked() is None)
    assert process.poll() is None and running(data) is not None

    web_view.close(shown)
    until(asked)
    web_view.press(asked(), "Alt_L", "y")
    process.communicate(timeout=LONG)
    assert process.returncode == 0
    assert noted(data) is None


def test_a_signal_closes_it_without_a_question(window, web_view, data):
    process = window.start("--window")
    until(lambda: web_view.shows(ACCENT) or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)
    assert process.returncode == 0
    assert noted(data) is None


def test_a_page_that_never_answers_holds_nobody_up(web_view, tmp_path):
    """One that is closed at the moment when it is asked never does: neither who asks nor the program's end waits."""
    command = [sys.executable, DEAF, tmp_path / "storage"]
    environment = {**os.environ, **web_view.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONG, check=False)
    assert done.stdout.split() == ["asked", "shown", "closed"], done.stderr
    assert done.returncode == 0


def test_where_there_is_no_web_view_the_browser_is_opened_and_told_so(program, browser_of_the_person, data, tmp_path):
    process = program.start("--window", picture(tmp_path / "photo.png", (220, 30, 200)))
    address = browser_of_the_person.wait_for(1)  # at once, on the page that waits
    until(lambda: running(data))
    found = running(data)
    assert found is not None and not found.window
    assert address.startswith(f"{found.address}/?ticket=") and "&open=" in address
    assert found.token not in address
    assert answers(visitor(), found.address) == 403
    person = visitor()
    assert answers(person, address) == 200
    assert answers(person, found.address) == 200
    assert answers(visitor(), address) == 403  # the ticket is used up
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=LONG)
    assert "opens in the browser instead" in errors
    assert noted(data) is None


def test_why_there_is_no_window_is_said(monkeypatch):
    with pytest.raises(NoWebViewError, match="no display" if find_spec_of_webview() else "requirements-window.txt"):
        find_web_view({name: value for name, value in os.environ.items() if "DISPLAY" not in name})


def find_spec_of_webview():
    from importlib.util import find_spec

    return find_spec("webview") is not None


@pytest.mark.skipif(not find_spec_of_webview(), reason="pywebview is not installed")
def test_a_display_that_is_not_there_ends_no_program():
    """Qt ends the process that asks for it; the one that looks is another."""
    with pytest.raises(NoWebViewError, match="no web view"):
        find_web_view({**os.environ, "DISPLAY": ":987", "WAYLAND_DISPLAY": ""})


@pytest.mark.skipif(not find_spec_of_webview(), reason="pywebview is not installed")
@pytest.mark.parametrize("found", ["edgechromium", "mshtml", RuntimeError("no runtime")])
def test_a_ready_made_program_looks_for_a_web_view_itself(monkeypatch, found):
    """It has no Python that it could ask in a process of its own."""

    def initialize():
        if isinstance(found, Exception):
            raise found
        return SimpleNamespace(renderer=found)

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setitem(sys.modules, "webview.guilib", SimpleNamespace(initialize=initialize))
    monkeypatch.setattr("subprocess.run", None)
    if found == "edgechromium":
        assert find_web_view({"DISPLAY": ":0"}) == found
    else:
        with pytest.raises(NoWebViewError, match="mshtml|no runtime"):
            find_web_view({"DISPLAY": ":0"})


def test_files_open_in_the_browser_and_a_second_start_hands_them_on(program, browser_of_the_person, data, tmp_path):
    program.environment["REALESRGAN_SERVER_PORT"] = str(free_port())
    data.mkdir()
    (data / "running.json").write_text('{"address": "http://127.0.0.1:1", "token": "t", "window": true, "pid": 1}')
    photo = picture(tmp_path / "-photo.png", (220, 30, 200))
    process = program.start("--", photo.name)
    first = browser_of_the_person.wait_for(1)  # at once, on the page that waits
    until(lambda: running(data))
    found = running(data)
    assert found is not None and found.address.endswith(program.environment["REALESRGAN_SERVER_PORT"])
    assert first.startswith(f"{found.address}/?open=")

    (tmp_path / "folder").mkdir()
    code, output, errors = program("folder")
    assert code == 0 and "runs already" in output, errors
    second = browser_of_the_person.wait_for(2)
    assert second.startswith(f"{found.address}/?open=") and second != first

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)
    assert noted(data) is None


def test_two_starts_at_a_time_make_one_program(program, browser_of_the_person, data, tmp_path):
    program.environment["REALESRGAN_SERVER_PORT"] = str(free_port())
    photo = picture(tmp_path / "photo.png", (220, 30, 200))
    both = [program.start(photo), program.start(photo)]
    browser_of_the_person.wait_for(2)
    until(lambda: [one.poll() for one in both].count(None) == 1)
    (ended,) = (one for one in both if one.poll() is not None)
    assert ended.returncode == 0, ended.communicate()
    (left,) = (one for one in both if one is not ended)
    left.send_signal(signal.SIGTERM)
    left.communicate(timeout=LONG)


@pytest.mark.parametrize("share", ["true"])
def test_a_public_link_and_a_window_exclude_each_other(program, share):
    program.environment["REALESRGAN_SHARE"] = share
    code, _, errors = program("--window")
    assert code == 2 and "REALESRGAN_SHARE" in errors
