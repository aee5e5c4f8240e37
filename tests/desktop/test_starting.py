"""A start whose imports are held: the address answers all the while, and how the start ends is told by the process."""

from __future__ import annotations

import contextlib
import gc
import http.cookiejar
import signal
import socket
import sys
import urllib.error
import urllib.request

import pytest

from desktop.application import in_haste
from desktop.instance import noted
from desktop.words import NAME
from tests.desktop.held import PROGRAM, REASON, Imports
from tests.ports import free_port
from tests.waiting import LONG, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def imports(tmp_path):
    (tmp_path / "imports").mkdir()
    return Imports(tmp_path / "imports")


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def program(program, port, imports):
    """On a port that is known before it answers, its imports held."""
    program.environment |= imports.environment | {"REALESRGAN_SERVER_PORT": str(port)}
    return program


@pytest.fixture
def start(program, imports):
    """Starts the program, and returns once it waits in its imports."""

    def started(*arguments):
        process = program.start(*arguments, program=PROGRAM)
        until(lambda: imports.wait or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        return process

    return started


def visitor():
    """A browser with a cookie jar of its own, and no proxy."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    made = urllib.request.build_opener(jar, urllib.request.ProxyHandler({}))
    made.addheaders = [("Accept", "text/html"), ("Accept-Language", "en")]
    return made


def answer(opener, address):
    """(status, content)."""
    try:
        with opener.open(address, timeout=LONG) as said:
            return said.status, said.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def refused(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def test_the_address_answers_while_the_program_is_imported_and_then_is_the_programs(start, imports, port, data):
    process = start()
    address = f"http://127.0.0.1:{port}"
    status, content = answer(visitor(), address)
    assert status == 503 and NAME in content and "starting" in content
    assert answer(visitor(), f"{address}/health")[0] == 503
    assert noted(data) is None
    imports.let()
    seen = [503]
    while seen[-1] == 503:
        seen.append(answer(visitor(), f"{address}/health")[0])
    assert seen[-1] == 200
    assert "gradio" in answer(visitor(), address)[1]
    until(lambda: noted(data) is not None)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)
    assert process.returncode == -signal.SIGTERM and noted(data) is None and refused(port)


def test_imports_that_fail_end_the_program_and_its_address(start, imports, port):
    process = start()
    assert answer(visitor(), f"http://127.0.0.1:{port}")[0] == 503
    imports.break_them()
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 1 and REASON in errors
    assert refused(port)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_start_can_be_ended(start, port, number, code):
    process = start()
    process.send_signal(number)
    process.communicate(timeout=LONG)
    assert process.returncode == code and refused(port)


@pytest.mark.parametrize("arguments", [(), ("photo.png",)])
def test_a_port_that_is_taken_is_told_before_anything_is_imported(program, imports, port, tmp_path, arguments):
    (tmp_path / "photo.png").touch()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        process = program.start(*arguments, program=PROGRAM)
        output, errors = process.communicate(timeout=LONG)
    assert process.returncode == 3 and f"('127.0.0.1', {port}): address already in use" in errors
    assert NAME not in output and not imports.wait


def test_the_browser_is_opened_at_once_and_the_file_arrives_later(
    start, imports, browser_of_the_person, port, tmp_path
):
    (tmp_path / "photo.png").touch()
    process = start("photo.png")
    address = browser_of_the_person.wait_for(1)
    assert address.startswith(f"http://127.0.0.1:{port}/?open=")
    assert answer(visitor(), address)[0] == 503
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)


def test_what_lets_a_browser_in_at_the_start_lets_it_in_later(start, imports, browser_of_the_person):
    process = start("--window")  # without a display
    address = browser_of_the_person.wait_for(1)
    base = address.partition("?")[0]
    assert answer(visitor(), base)[0] == 403
    person = visitor()
    status, content = answer(person, address)
    assert status == 503 and "starting" in content
    assert answer(visitor(), address)[0] == 403  # the ticket is used up
    imports.let()
    until(lambda: answer(person, base)[0] != 503)
    assert answer(person, base)[0] == 200 and answer(visitor(), base)[0] == 403
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)


@pytest.mark.parametrize("error", [None, ImportError])
def test_garbage_is_looked_for_again_after_a_start(error):
    try:
        with pytest.raises(error) if error else contextlib.nullcontext(), in_haste():
            assert not gc.isenabled()
            if error:
                raise error
        assert gc.isenabled()
    finally:
        gc.unfreeze()


# -- a window's ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def window(program, web_view):
    """The program with a display; ``web_view`` skips where there can be no window."""
    program.environment |= web_view.environment
    return web_view


@pytest.mark.skipif(sys.platform != "linux", reason="windows are looked at on an X server")
def test_a_window_that_is_closed_while_the_program_starts_ends_it(start, window, imports, data):
    process = start("--window")
    until(window.windows)
    (shown,) = window.windows()
    window.close(shown)
    until(lambda: not window.windows())
    imports.let()
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 0, errors
    assert noted(data) is None


@pytest.mark.skipif(sys.platform != "linux", reason="windows are looked at on an X server")
def test_a_program_that_can_not_start_closes_its_window_and_says_why(start, window, imports):
    process = start("--window")
    until(window.windows)
    imports.break_them()
    _, errors = process.communicate(timeout=LONG)
    assert process.returncode == 1 and REASON in errors
    assert not window.windows()
