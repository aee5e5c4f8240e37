"""Browser tests that look into the server: a model downloaded from this machine, and a window that is closed."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.networks import write_compact
from tests.ports import free_port
from tests.ui.running import window
from tests.ui.test_image_browser import choose_model, enhance, upload
from tests.waiting import until

NAME = "brought-x4"


@dataclass(frozen=True)
class Mirror:
    """A server of one model's file: it sends half of it, and the rest when ``gate`` opens."""

    address: str
    content: bytes
    gate: threading.Event


@pytest.fixture
def mirror(tmp_path):
    # Of more than one piece, as downloads are counted.
    content = write_compact(tmp_path / "model.pth", convs=6).read_bytes()
    gate = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            half = len(content) // 2
            self.wfile.write(content[:half])
            self.wfile.flush()
            gate.wait(250)
            self.wfile.write(content[half:])

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Mirror(f"http://127.0.0.1:{server.server_port}/{NAME}.pth", content, gate)
    gate.set()
    server.shutdown()


@dataclass(frozen=True)
class Inside:
    """The app in this very process."""

    address: str
    weights: Path
    visitors: object


@pytest.fixture
def inside(weights, mirror, tmp_path):
    from starlette.middleware import Middleware

    from config import Config
    from engine.model_manager import ModelManager
    from engine.models.registry import ModelSpec
    from ui.app import _page_arguments, build
    from ui.visitors import VisitorCookie, Visitors

    base = tmp_path / "inside"
    base.mkdir()
    config = Config(
        _env_file=None,
        weights_dir=base / "weights",
        output_dir=base / "outputs",
        cache_dir=base / "cache",
        data_dir=base / "data",
        log_dir=base / "logs",
        device="cpu",
        optimize=False,
    )
    config.weights_dir.mkdir()
    (config.weights_dir / "tiny-x4.pth").write_bytes((weights / "tiny-x4.pth").read_bytes())
    spec = ModelSpec(
        NAME,
        "upscale",
        "SRVGGNetCompact",
        4,
        "From this machine.",
        "any",
        "MIT",
        (mirror.address,),
        f"{NAME}.pth",
        len(mirror.content),
        hashlib.sha256(mirror.content).hexdigest(),
    )
    manager = ModelManager(
        {NAME: spec}, config.weights_dir, cache_dir=config.cache_dir, bundled_dir=None, optimize=False, device="cpu"
    )
    visitors = Visitors(config.output_dir)
    blocks = build(config, manager, visitors)
    port = free_port()
    _, address, _ = blocks.launch(
        server_name="127.0.0.1",
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        app_kwargs={"middleware": [Middleware(VisitorCookie)]},
        **_page_arguments(config),
    )
    yield Inside(address, config.weights_dir, visitors)
    blocks.close()
    manager.close()


@pytest.fixture
def page(inside, browser):
    with window(browser, inside.address) as made:
        yield made


def test_a_model_is_downloaded_with_its_progress_shown_and_can_then_be_used(page, inside, mirror, photo):
    upload(page, photo)
    choose_model(page, NAME)
    page.wait_for_selector("#model-download", state="visible")
    assert "Not installed" in page.inner_text("#model-note")
    page.click("#model-download")
    page.wait_for_function(
        """() => {
            const share = Number(document.querySelector('#model-note [role=progressbar]')?.getAttribute('aria-valuenow'));
            return share > 10 && share < 60;
        }"""
    )
    assert not (inside.weights / f"{NAME}.pth").exists()
    mirror.gate.set()
    page.wait_for_selector(f"#model-note:has-text('{NAME} is installed')")
    page.wait_for_selector("#model-download", state="hidden")
    assert (inside.weights / f"{NAME}.pth").read_bytes() == mirror.content
    enhance(page)
    assert NAME in page.inner_text("#status")
    with page.expect_download() as download:
        page.click("#download")
    assert Image.open(download.value.path()).size == (480, 360)


def test_a_closed_window_is_let_go(page, inside, photo):
    until(lambda: inside.visitors.windows == 0)  # those of the tests before it
    upload(page, photo)
    choose_model(page, "tiny-x4")
    enhance(page)
    assert inside.visitors.windows == 1
    page.close()
    until(lambda: inside.visitors.windows == 0)
