"""The System Info tab's work without a browser: facts, models on disk, unloading."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from engine.executors.in_process import in_process_executor
from engine.machine.benchmark import MachineTest
from engine.machine.report import folder_facts
from engine.model_manager import ModelManager
from engine.models.registry import REGISTRY
from engine.models.wheels import WHEELS
from tests.conftest import Settings
from ui.handlers import system as handlers
from ui.strings import LANGUAGES, words_in
from ui.tabs.image_events import Events as ImageEvents
from ui.tabs.system_tab import SystemEvents
from ui.visitors import Visitors

WORDS = words_in("en")


@pytest.fixture
def own_weights(weights, tmp_path):
    """A manager with a weights folder that a test may change."""
    folder = tmp_path / "weights"
    shutil.copytree(weights, folder)
    (folder / "broken.pth").write_text("nothing")
    made = ModelManager(None, folder, cache_dir=tmp_path / "cache", optimize=False, device="cpu")
    yield made
    made.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_machine_is_described(language):
    facts = {
        "cpu": "A <CPU>",
        "cores": 4,
        "cpu_features": ["avx2"],
        "gpus": [
            {"id": "cuda:0", "name": "Card", "total_memory_mb": 8192},
            {"id": "mps", "name": "M", "total_memory_mb": None},
        ],
        "platform": "Linux",
        "python": "3.11",
    }
    html = handlers.machine_html(facts, words_in(language))
    assert "A &lt;CPU&gt;" in html and "avx2" in html and "8.6 GB" in html and "mps" in html
    assert handlers.machine_html({**facts, "gpus": []}, words_in(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_folders_limits_versions_and_memory_have_words(language, settings):
    words = words_in(language)
    assert str(settings.cache_dir) in handlers.folders_html(folder_facts(settings), words)
    said = {"en": "200 megapixels", "de": "200 Megapixel", "es": "200 megapíxeles"}
    assert said.get(language, "200 ") in handlers.limits_html(settings, words)
    assert "gradio" in handlers.versions_html(words)
    assert "GB" in handlers.memory_html(None, words)


def test_unloading_says_what_it_did(manager):
    manager.unload_all()
    assert "No model is loaded" in handlers.loaded_html(None, manager, WORDS)
    assert handlers.unload(None, manager, WORDS) == "No model was loaded."
    manager.load_model("tiny-x4")
    html = handlers.loaded_html(None, manager, WORDS)
    assert "tiny-x4" in html and "of weights" in html
    with manager.borrow("tiny-x4"):
        assert "Still at work: 1" in handlers.unload(None, manager, WORDS)
    assert handlers.unload(None, manager, WORDS).startswith("Models unloaded: 1;")
    assert handlers.loaded_models(None, manager) == {}


def test_models_of_an_executor_are_seen_and_unloaded(manager, settings):
    class Config(Settings):
        device = "cpu"
        worker_idle_timeout = 0

    executor = in_process_executor(Config(Path(), weights_dir=settings.weights_dir), manager)
    try:
        manager.load_model("tiny-x4")
        assert len(handlers.loaded_models(executor, manager)) == 1, "the shared manager's models count once"
        assert handlers.unload(executor, manager, WORDS).startswith("Models unloaded: 1;")
    finally:
        executor.close()


def test_models_on_disk_show_their_state_and_what_may_be_done(own_weights):
    html = handlers.models_html(own_weights, WORDS)
    for part in ("verified", "missing", "unverified", "problem", "67.1 MB", "embedded-compact-x4", "tiny-x4"):
        assert part in html, part
    assert "verified, comes with the set-up" in html
    labels = {name: label for label, name in handlers.model_choices(own_weights, WORDS)}
    assert labels["RealESRGAN_x4plus"] == "RealESRGAN_x4plus · 33.5 MB · verified, comes with the set-up"
    assert labels["RealESRGAN_x2plus"] == "RealESRGAN_x2plus · 67.1 MB · missing"

    def may(name):
        status = handlers.status_of(own_weights, name)
        return handlers.may_download(own_weights, status), handlers.may_delete(own_weights, status)

    assert may("RealESRGAN_x2plus") == (True, False)
    assert may("RealESRGAN_x4plus") == (False, False), "what came with the set-up is pip's"
    assert may("tiny-x4") == (False, True)
    assert may("embedded-compact-x4") == (False, False), "what ships with the program stays"
    assert may(None) == (False, False)
    packs = [name for name in labels if handlers.pack_of(name) is not None]
    bare = ModelManager(weights_dir=own_weights._store.weights_dir, cache_dir=None, from_setup=lambda pair: None)
    assert [handlers.pack_of(name) for _, name in handlers.model_choices(bare, WORDS) if handlers.pack_of(name)] == [
        *WHEELS
    ]
    assert set(packs) <= {f"{handlers.PACK_PREFIX}{pack}" for pack in WHEELS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_measurement_is_told_in_times_for_photographs(language):
    result = MachineTest("m", "openvino", "cpu", "bf16", 4, 0.1, 20.0, 7, 1.5, 12.0)
    html = handlers.machine_test_html(result, words_in(language))
    assert "m (openvino, cpu, bf16)" in html and "20.0 s" in html and "2 min 00 s" in html


class _Mirror(BaseHTTPRequestHandler):
    """Gives ``server.content``; ``/slow`` never comes to its end."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        if self.path == "/slow":
            self.wfile.write(self.server.content[:1000])
            self.server.stopped.wait(250)
        else:
            self.wfile.write(self.server.content)


@pytest.fixture
def mirror(weights):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Mirror)
    server.content, server.stopped = (weights / "tiny-x4.pth").read_bytes(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.stopped.set()
    server.shutdown()


@pytest.fixture
def events(mirror, settings, tmp_path):
    """The tab's handlers over a manager that knows two models: one that can be downloaded, one that stalls."""
    spec = next(spec for spec in REGISTRY.values() if spec.kind == "upscale" and spec.urls)
    address = f"http://127.0.0.1:{mirror.server_address[1]}"
    digest = hashlib.sha256(mirror.content).hexdigest()
    specs = {
        name: replace(
            spec,
            name=name,
            filename=f"{name}.pth",
            urls=(f"{address}/{name}",),
            size=len(mirror.content),
            sha256=digest,
            denoise_twin=None,
            pair=None,
        )
        for name in ("quick", "slow")
    }
    manager = ModelManager(specs, tmp_path / "models", cache_dir=None, bundled_dir=None, optimize=False, device="cpu")
    yield SystemEvents(replace(settings, enable_downloads=True), manager, Visitors(tmp_path / "outputs"), None)
    manager.close()


REQUEST = SimpleNamespace(headers={"accept-language": "en"}, cookies={}, session_hash="a window")


async def told_by(download, act=lambda: None):
    """What the tab says during a download; ``act`` happens after the first step."""
    said = []
    async for answer in download:
        said.append(answer[0])
        if len(said) == 1:
            act()
    return said


def test_a_model_is_downloaded_and_its_state_told(events):
    said = asyncio.run(told_by(events.download(REQUEST, "quick")))
    assert "Downloading quick" in said[0] and "quick is installed (verified)" in said[-1]
    assert "quick: verified" in events.verify(REQUEST, "quick")[0]
    assert "is deleted" in events.delete(REQUEST, "quick")[0]
    assert handlers.status_of(events._manager, "quick").installed is False


def test_a_download_is_cancelled(events):
    said = asyncio.run(told_by(events.download(REQUEST, "slow"), lambda: events.stop(REQUEST)))
    assert "trouble" in said[-1] and not handlers.status_of(events._manager, "slow").installed


def test_where_downloads_are_off_nothing_is_brought_or_deleted(events, weights, tmp_path):
    events._config = replace(events._config, enable_downloads=False)
    assert asyncio.run(told_by(events.download(REQUEST, "quick"))) == [gr.skip()], (
        "Gradio empties all where nothing is said"
    )
    (tmp_path / "models").mkdir()
    shutil.copy(weights / "tiny-x4.pth", tmp_path / "models" / "mine.pth")
    said = events.delete(REQUEST, "mine")[0]
    assert (tmp_path / "models" / "mine.pth").exists() and "mine" not in str(said)


def test_where_downloads_are_off_the_image_tab_brings_nothing_either():
    events = ImageEvents(None, None, None, SimpleNamespace(enable_downloads=False))

    async def story():
        return [updates async for updates in events.bring(REQUEST, "quick", "note", "button")]

    assert asyncio.run(story()) == [{"note": gr.skip()}]


def test_a_second_download_of_a_window_does_not_cancel_the_first(events):
    """The one of the chosen model, and the one that faces need."""
    image = ImageEvents(None, SimpleNamespace(manager=events._manager), events._visitors, events._config)

    async def story():
        slow = image.bring(REQUEST, "slow", "note", "button")
        await anext(slow)
        quick = [updates async for updates in image.bring(REQUEST, "quick", "note", "button")]
        went_on = not events._visitors.resume(REQUEST, "download slow").control.cancelled
        events._visitors.cancel(REQUEST, "download slow")
        return quick[-1], went_on, [updates async for updates in slow][-1]

    quick, went_on, slow = asyncio.run(story())
    assert "quick is installed" in quick["note"] and went_on and "installed" not in slow["note"]


def test_over_a_public_link_the_log_is_not_shown(events):
    log = events._config.log_dir / "realesrgan.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("the file of somebody else")
    assert "somebody" in events.log() and "somebody" in str(events.facts(REQUEST, None))
    events._config = replace(events._config, share=True)
    assert events.log() == "" == events.report() and "somebody" not in str(events.facts(REQUEST, None))
