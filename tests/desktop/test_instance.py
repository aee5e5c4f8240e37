"""A second start finds the first one, believes no other program in its place, and hands it files of any name."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from desktop.guard import Keys
from desktop.handover import router
from desktop.instance import FILE, PATH, TOKEN_HEADER, HandOverError, Instance, noted, running
from tests.waiting import until
from ui.inbox import Inbox


@contextmanager
def served(app):
    """The application on a free port; yields its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, args=([listening],))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.start()
        until(lambda: server.started)
        yield address
        server.should_exit = True
        thread.join()


class Running:
    """The part of the program that others on this machine speak to."""

    def __init__(self):
        self.keys, self.inbox, self.shown = Keys(), Inbox(), []
        self.answer = None
        self.app = FastAPI()
        self.app.include_router(router(self.keys, self.inbox, self.bring_up))

    def bring_up(self, key):
        self.shown.append(key)
        return self.answer


@pytest.fixture
def program():
    return Running()


@pytest.fixture
def instance(program):
    with served(program.app) as address:
        yield Instance(address, program.keys.token, True, os.getpid())


def test_the_note_is_for_this_person_only(tmp_path, instance):
    instance.write(tmp_path / "data")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600
    assert noted(tmp_path / "data") == instance
    assert running(tmp_path / "data") == instance
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"address": "http://127.0.0.1:1"}', '{"pid": "x"}'])
def test_a_broken_note_is_none(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert running(tmp_path) is None


def test_the_note_of_a_killed_program_is_taken_away(tmp_path, program):
    with served(program.app) as address:
        Instance(address, program.keys.token, False, 1).write(tmp_path)
        assert running(tmp_path) is not None
    assert running(tmp_path) is None
    assert not (tmp_path / FILE).exists()


def test_another_program_at_that_address_is_told_nothing(tmp_path, program):
    """The port was given to somebody else after this one was killed."""
    stranger, asked = FastAPI(), []

    @stranger.middleware("http")
    async def note(request, call_next):
        asked.append((request.method, dict(request.headers)))
        return await call_next(request)

    @stranger.get(PATH)
    def prove(challenge: str = ""):
        return {"proof": "0" * 64}

    with served(stranger) as address:
        Instance(address, program.keys.token, True, 1).write(tmp_path)
        assert running(tmp_path) is None
    assert [method for method, _ in asked] == ["GET"]
    assert program.keys.token not in str(asked)


def test_only_addresses_of_this_program_are_asked():
    assert not Instance("file:///etc", "token", True, 1).responds()


def test_a_newer_programs_note_stays(tmp_path, instance):
    older = Instance("http://127.0.0.1:1", "old", False, 1)
    instance.write(tmp_path)
    older.remove(tmp_path)
    assert noted(tmp_path) == instance
    instance.remove(tmp_path)
    assert noted(tmp_path) is None


NAMES = ["a b.png", 'it\'s "odd".png', "zeile\numbruch.png", "ünï 漢字.png", "-x.png", "100%.png", "$(touch x).png"]


def test_files_of_any_name_arrive(program, instance, tmp_path):
    paths = [tmp_path / name for name in NAMES]
    if sys.platform == "linux":
        paths.append(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")))  # not UTF-8
    assert instance.hand_over(paths) is None
    (key,) = program.shown
    assert program.inbox.take(key) == tuple(paths)
    assert program.inbox.take(key) == ()


def test_without_files_it_only_comes_to_the_front(program, instance):
    program.answer = "http://127.0.0.1:1/"
    assert instance.hand_over([]) == "http://127.0.0.1:1/"
    assert program.shown == [None]


def test_a_wrong_token_opens_nothing(program, instance, tmp_path):
    with pytest.raises(HandOverError, match="403"):
        Instance(instance.address, "wrong", True, 1).hand_over([tmp_path])
    assert program.shown == []


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"paths": "x"}', b'{"paths": [1]}', b'{"paths": ["relative"]}', b'{"paths": ["/a\\u0000b"]}', b"[]"],
)
def test_what_is_no_list_of_paths_is_refused(program, instance, body):
    import httpx

    answer = httpx.post(instance.address + PATH, content=body, headers={TOKEN_HEADER: program.keys.token})
    assert answer.status_code == 400
    assert program.shown == []


def test_too_many_at_once_are_refused(program, instance, tmp_path):
    with pytest.raises(HandOverError, match="400"):
        instance.hand_over([tmp_path / f"{number}.png" for number in range(10_001)])


def test_a_program_that_ended_meanwhile_is_named(program, tmp_path):
    with served(program.app) as address:
        gone = Instance(address, program.keys.token, True, 1)
    with pytest.raises(HandOverError, match=address):
        gone.hand_over([tmp_path])


def test_the_note_holds_nothing_else(tmp_path, instance):
    instance.write(tmp_path)
    assert set(json.loads((tmp_path / FILE).read_text())) == {"address", "token", "window", "pid"}
