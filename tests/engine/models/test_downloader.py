"""Downloads against a real local server that misbehaves in every way: only right files get their name."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from filelock import FileLock

from engine.models.downloader import _SPARE_BYTES, Transfer, download
from engine.types import JobControl
from tests.waiting import until
from utils.errors import ChecksumMismatchError, JobCancelled, ModelDownloadError

CONTENT = bytes(range(256)) * 4000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """The path says how to misbehave."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        getattr(self, f"do_{self.path.strip('/').split('.')[0]}")()

    def _send(self, body, status=200, length=None, kind="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _range(self):
        wanted = self.headers.get("Range")
        return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0

    def do_good(self):
        start = self._range()
        if start:
            span = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            self._send(CONTENT[start:], 206, Content_Range=span)
        else:
            self._send(CONTENT)

    def do_noranges(self):
        self._send(CONTENT)

    def do_cut(self):
        """Ends early once; then serves the rest."""
        if self._range():
            self.do_good()
        else:
            self._send(CONTENT[:500_000], length=len(CONTENT))
            self.close_connection = True

    def do_stall(self):
        """Begins, and sends no more."""
        self._send(CONTENT[:1000], length=len(CONTENT))
        self.server.released.wait(250)

    def do_silent(self):
        """Takes the request and never answers."""
        self.server.released.wait(250)

    def do_unmeasured(self):
        """Does not say how long the file is, and stops in the middle."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT[:1000])
        self.server.released.wait(250)

    def do_slow(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        for start in range(0, len(CONTENT), 100_000):
            self.wfile.write(CONTENT[start : start + 100_000])
            time.sleep(0.05)

    def do_flipped(self):
        self._send(CONTENT[:-1] + b"\0")

    def do_short(self):
        self._send(CONTENT[:-10])

    def do_long(self):
        self._send(CONTENT + b"extra")

    def do_html(self):
        self._send(b"<html>Sign in</html>", kind="text/html; charset=utf-8")

    def do_gone(self):
        self._send(b"", 404)

    def do_redirect(self):
        self._send(b"", 302, Location="/good.pth")


@pytest.fixture(scope="module")
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.requests, made.released = [], threading.Event()
    made.url = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.released.set()
    made.shutdown()


@pytest.fixture
def bring(server, tmp_path):
    server.requests.clear()

    def run(*kinds, progress=None, control=None, **how):
        how.setdefault("sha256", SHA)
        how.setdefault("size", len(CONTENT))
        urls = [f"{server.url}/{kind}.pth" for kind in kinds]
        transfer = Transfer(progress, control or JobControl())
        return download(urls, tmp_path / "model.pth", transfer=transfer, **how)

    return run


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("kind", ["good", "noranges", "cut", "redirect", "slow"])
def test_a_right_file_arrives_whole(bring, tmp_path, kind):
    steps = []
    assert bring(kind, progress=lambda done, total: steps.append((done, total))) == SHA
    assert (tmp_path / "model.pth").read_bytes() == CONTENT
    assert visible(tmp_path) == ["model.pth"]
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_a_partial_file_is_resumed_not_fetched_again(bring, tmp_path, server):
    (tmp_path / "model.pth.part").write_bytes(CONTENT[:300_000])
    bring("good")
    assert server.requests == [("/good.pth", "bytes=300000-")]
    assert (tmp_path / "model.pth").read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_makes_it_start_anew(bring, tmp_path):
    (tmp_path / "model.pth.part").write_bytes(b"x" * 300_000)
    assert bring("noranges") == SHA


@pytest.mark.parametrize("kind", ["flipped", "long"])
def test_wrong_bytes_are_kept_aside_and_never_get_the_name(bring, tmp_path, kind):
    with pytest.raises((ChecksumMismatchError, ModelDownloadError)):
        bring(kind)
    assert not (tmp_path / "model.pth").exists()


def test_a_flipped_bit_at_the_right_size_names_both_hashes(bring, tmp_path):
    with pytest.raises(ChecksumMismatchError, match=SHA):
        bring("flipped")
    assert visible(tmp_path / "rejected") == ["model.pth.part"]


@pytest.mark.parametrize("kind", ["html", "gone", "stall", "short"])
def test_a_mirror_that_fails_is_followed_by_the_next(bring, tmp_path, kind):
    assert bring(kind, "good", timeout=1 if kind == "stall" else 60) == SHA


@pytest.mark.parametrize("kind", ["html", "gone"])
def test_when_all_fail_the_error_tells_how_to_place_the_file_by_hand(bring, tmp_path, kind):
    with pytest.raises(ModelDownloadError) as caught:
        bring(kind)
    assert str(tmp_path / "model.pth") in str(caught.value) and f"/{kind}.pth" in str(caught.value)
    assert SHA in str(caught.value)
    assert "model.pth" not in visible(tmp_path)


def test_only_http_is_followed(tmp_path):
    source = tmp_path / "secret"
    source.write_bytes(CONTENT)
    with pytest.raises(ModelDownloadError, match="only http"):
        download([source.as_uri()], tmp_path / "model.pth", SHA)


def test_cancelling_keeps_the_part_for_next_time(bring, tmp_path):
    control = JobControl()
    with pytest.raises(JobCancelled):
        bring("slow", control=control, progress=lambda done, total: control.cancel())
    assert visible(tmp_path) == ["model.pth.part"]
    assert bring("good") == SHA


@pytest.mark.parametrize("kind", ["stall", "silent", "unmeasured"])
def test_cancelling_does_not_wait_for_a_server_that_says_nothing(bring, tmp_path, server, kind):
    control = JobControl()

    def cancel_once_asked():
        until(lambda: server.requests)
        control.cancel()

    threading.Thread(target=cancel_once_asked, daemon=True).start()
    with pytest.raises(JobCancelled):
        bring(kind, control=control, timeout=200, **({"sha256": None, "size": None} if kind == "unmeasured" else {}))
    assert len(server.requests) == 1 and not (tmp_path / "model.pth").exists()
    assert bring("good") == SHA


def test_who_waits_for_another_download_of_the_same_file_may_give_up(bring, tmp_path):
    control = JobControl()
    with FileLock(tmp_path / ".model.pth.lock"):
        threading.Timer(0.3, control.cancel).start()
        with pytest.raises(JobCancelled):
            bring("good", control=control)


def test_a_full_disk_is_known_before_the_first_byte(bring, tmp_path, server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(ModelDownloadError, match="disk space"):
        bring("good")
    assert server.requests == []


def test_a_resumed_download_needs_room_for_the_rest_only(bring, tmp_path, monkeypatch):
    room = len(CONTENT) - 300_000 + _SPARE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, room))
    with pytest.raises(ModelDownloadError, match="disk space for 'model.pth'"):
        bring("good")
    (tmp_path / "model.pth.part").write_bytes(CONTENT[:300_000])
    assert bring("good") == SHA


def _other_process(url, target, answers):
    answers.put(download([url], target, SHA, len(CONTENT)))


def test_two_processes_share_one_download(server, tmp_path):
    server.requests.clear()
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    arguments = (f"{server.url}/slow.pth", tmp_path / "model.pth", answers)
    processes = [context.Process(target=_other_process, args=arguments) for _ in range(2)]
    [process.start() for process in processes]
    assert [answers.get(timeout=60) for _ in processes] == [SHA, SHA]
    [process.join() for process in processes]
    assert len(server.requests) == 1 and visible(tmp_path) == ["model.pth"]
