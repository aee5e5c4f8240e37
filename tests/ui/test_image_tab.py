"""What happens at each event of the Image tab, with several windows and pictures at once. Without a browser."""

from __future__ import annotations

import asyncio
import shutil
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from engine.face_restorer import FaceRestorer
from engine.jobs.job_list import JobKind
from engine.processor import enhance_file
from tests import checkpoints
from tests.ui.test_image_work import TwoFaces, config, pixels  # noqa: F401 (config is a fixture)
from tests.waiting import LONG
from ui.handlers.image import ImageService
from ui.tabs import image_tab
from ui.tabs.image_layout import lay_out
from ui.tabs.image_parts import PartEvents
from ui.visitors import COOKIE, Visitors


def window(name: str):
    """The request of an event in one window of a browser."""
    return SimpleNamespace(cookies={COOKIE: "browser"}, session_hash=name, headers={"accept-language": "en"})


def event(**data):
    return SimpleNamespace(_data=data, **data)


class Opened:
    """The tab, with what its form says; ``enhance`` waits at the gate where one is set."""

    def __init__(self, config, manager) -> None:  # noqa: F811
        self.gate: threading.Event | None = None
        self.settings: list = []
        self.enhance = partial(enhance_file, manager=manager, config=config)
        with gr.Blocks():
            self.parts = lay_out(manager)
        self.prepared: list = []
        self.service = ImageService(config, manager, self._enhance, prepare=lambda *given: self.prepared.append(given))
        self.service._restorer = FaceRestorer(manager, TwoFaces())
        self.visitors = Visitors(config.output_dir)
        made = SimpleNamespace(
            enable_downloads=True, **{name: getattr(config, name) for name in dir(config) if name[0] != "_"}
        )
        self.tab = image_tab._Tab(self.parts, self.service, self.visitors, made)
        self.closer = PartEvents(self.parts, self.service, self.visitors, made)

    def _enhance(self, source, target, settings, **how):
        self.settings.append(settings)
        if self.gate is not None:
            assert self.gate.wait(LONG)
        # Restoring needs a face model; what was asked for is noted above.
        return self.enhance(source, target, settings.but(face_enhance=False, face_keep=(), face_skip=()), **how)

    def form(self, **changes) -> list:
        shown = {name: part.value for name, part in zip(self.parts.form.names, self.parts.form.components, strict=True)}
        return list({**shown, "model": "tiny-x4", "scale": 2, "format": "png", **changes}.values())

    def run(self, name: str, path: Path, **changes) -> dict:
        """Enhance in a window; everything that changed on its page."""
        return asyncio.run(collected(self.tab.enhance(window(name), str(path), *self.form(**changes))))

    def stage(self, updates: dict) -> dict:
        return updates[self.parts.stage]


async def collected(answers) -> dict:
    changed: dict = {}
    async for updates in answers:
        changed |= updates
    return changed


@pytest.fixture
def opened(config, manager) -> Opened:  # noqa: F811
    return Opened(config, manager)


@pytest.fixture
def other(photo, tmp_path) -> Path:
    path = tmp_path / "other" / "other.png"
    path.parent.mkdir()
    shutil.copy(sample(photo), path)
    return path


def sample(photo: Path) -> Path:
    """The photo turned upside down."""
    from PIL import Image

    path = photo.with_name("turned.png")
    Image.open(photo).rotate(180).save(path)
    return path


def test_a_slider_moves_the_result_that_its_own_window_shows(opened, photo, other):
    mine = opened.stage(opened.run("a", photo))
    opened.run("b", other)
    moved = opened.tab.readjust(window("a"), event(run=mine["run"], fidelity=0.5))
    shown = opened.stage(moved)
    assert Path(shown["after"]).name == "photo_x2_fidelity50.png" and shown["run"] == mine["run"] != 0
    workspace = opened.service.workspace(opened.visitors.of(window("a")))
    assert [Path(run.output_path).name for run in workspace.runs] == ["photo_x2_fidelity50.png", "other_x2.png"]


def test_a_page_that_is_opened_while_nothing_runs_changes_nothing_more(opened):
    """Gradio empties every component of an event in parts that says nothing at all."""
    opened.tab.restore(window("a"))
    assert list(asyncio.run(collected(opened.tab.follow(window("a")))).values()) == [gr.skip()]


def test_cancel_stays_while_another_job_of_the_window_goes_on(opened, photo):
    until_told = threading.Event()
    beside = opened.visitors.start(
        window("a"), "part", lambda control: until_told.wait(LONG), kind=JobKind.PART, queue=opened.visitors.downloads
    )
    assert opened.run("a", photo)[opened.parts.cancel] == gr.update(visible=True)
    until_told.set()
    assert beside.join(LONG)
    assert opened.run("a", photo)[opened.parts.cancel] == gr.update(visible=False)


def test_a_result_that_became_unreadable_costs_only_its_own_place(opened, photo, other):
    opened.run("a", photo)
    broken = opened.service.workspace(opened.visitors.of(window("a"))).current
    opened.run("a", other)
    Path(broken.output_path).write_bytes(b"no picture any more")
    told = opened.tab.restore(window("a"))[opened.parts.history]
    assert "other_x2.png" in told and "photo_x2.png" not in told


def test_a_second_move_that_was_made_before_the_first_was_shown_is_not_lost(opened, photo):
    first = opened.stage(opened.run("a", photo))["run"]
    opened.tab.readjust(window("a"), event(run=first, fidelity=0.5))
    shown = opened.stage(opened.tab.readjust(window("a"), event(run=first, fidelity=0.7)))
    assert Path(shown["after"]).name == "photo_x2_fidelity70.png"


def test_a_result_that_is_no_longer_kept_moves_nothing(opened, photo):
    opened.run("a", photo)
    assert opened.tab.readjust(window("a"), event(run=99, fidelity=0.5)) == gr.skip()


def test_faces_are_those_that_were_chosen_when_enhance_was_pressed(opened, photo, other):
    form = opened.form(face_enhance="on")

    async def story():
        opened.tab.opened(window("a"), str(photo))
        opened.closer.find_faces(window("a"), str(photo), *form)
        opened.closer.turn_face(window("a"), event(number=2), str(photo), *form)
        opened.gate = threading.Event()
        answers = opened.tab.enhance(window("a"), str(photo), *form)
        await anext(answers)
        opened.tab.opened(window("a"), str(other))
        opened.gate.set()
        await collected(answers)

    asyncio.run(story())
    assert opened.settings[0].face_keep == (1,)


def test_faces_of_one_picture_are_not_taken_for_those_of_another(opened, photo, other):
    form = opened.form(face_enhance="on")
    opened.tab.opened(window("a"), str(photo))
    opened.tab.opened(window("b"), str(other))
    opened.closer.find_faces(window("a"), str(photo), *form)
    opened.closer.turn_face(window("a"), event(number=2), str(photo), *form)
    opened.run("b", other, face_enhance="on")
    assert opened.settings[0].face_keep == ()


def enhanced_while_another_is_opened(opened, photo, other, where):
    """What window "a" shows in the end when ``other`` was opened in window ``where`` during its run."""

    async def story():
        opened.tab.opened(window("a"), str(photo))
        opened.gate = threading.Event()
        answers = opened.tab.enhance(window("a"), str(photo), *opened.form())
        await anext(answers)
        opened.tab.opened(window(where), str(other))
        opened.gate.set()
        return await collected(answers)

    return asyncio.run(story())


def test_a_result_does_not_cover_the_picture_that_was_opened_meanwhile(opened, photo, other):
    changed = enhanced_while_another_is_opened(opened, photo, other, where="a")
    assert opened.parts.stage not in changed and "photo.png is finished" in changed[opened.parts.status]
    assert "data-run" in changed[opened.parts.history] and changed[opened.parts.enhance]["interactive"]
    workspace = opened.service.workspace(opened.visitors.of(window("a")))
    assert workspace.upload == other and workspace.current is None and len(workspace.runs) == 1


def test_each_window_shows_its_own_result_whatever_another_one_opened(opened, photo, other):
    shown = opened.stage(enhanced_while_another_is_opened(opened, photo, other, where="b"))
    assert Path(shown["after"]).name == "photo_x2.png"


def test_two_quick_clicks_turn_two_faces_and_the_picture_is_looked_at_once(opened, photo):
    looks = []
    detector = TwoFaces()
    opened.service._restorer = FaceRestorer(
        opened.service.manager, SimpleNamespace(detect=lambda rgb: looks.append(1) or detector.detect(rgb))
    )
    form = opened.form(face_enhance="on")
    opened.closer.find_faces(window("a"), str(photo), *form)
    for number, on in ((1, [False, True]), (2, [False, False]), (1, [True, False])):
        changed = opened.closer.turn_face(window("a"), event(number=number), str(photo), *form)
        assert [box["on"] for box in opened.stage(changed)["boxes"]] == on
    assert len(looks) == 1
    looked = opened.service.find_faces(opened.visitors.of(window("a")), photo, opened.tab.settings(tuple(form)))
    assert [box.on for box in looked] == [True, False], "a new look says the same"


def test_no_click_on_a_face_is_dropped(opened):
    with gr.Blocks() as blocks, gr.Tab("image") as tab:
        image_tab.build(opened.tab.config, opened.service.manager, opened.visitors, blocks, opened.enhance, tab)
    (turn,) = [fn for fn in blocks.fns.values() if fn.name == "turn_face"]
    assert (turn.trigger_mode, turn.concurrency_limit) == ("multiple", 1)


def test_a_model_that_came_can_be_compared_at_once(config, weights, tmp_path):  # noqa: F811
    from engine.model_manager import ModelManager

    folder = tmp_path / "own"
    shutil.copytree(weights, folder)
    manager = ModelManager({}, folder, cache_dir=None, bundled_dir=None, optimize=False, device="cpu")
    try:
        opened = Opened(config, manager)
        checkpoints.save_pth(checkpoints.compact_state(), folder / "new-x4.pth")
        updates = opened.tab.models(["tiny-x4"])
        compared, model = updates[opened.parts.compare_models], updates[opened.parts.form.component("model")]
        assert "new-x4" in compared["choices"] and compared["value"] == ["tiny-x4"]
        assert "new-x4" in [name for _, name in model["choices"]]
        (folder / "tiny-x4.pth").unlink()
        assert opened.tab.models(["tiny-x4", "new-x4"])[opened.parts.compare_models]["value"] == ["new-x4"]
    finally:
        manager.close()


def test_what_enhance_would_need_is_made_ready_as_soon_as_it_is_known(opened, photo):
    """With the model that "auto" means, so that a worker loads the right one."""
    opened.tab.count(window("a"), str(photo), *opened.form(model="auto", mode="quick"))
    opened.tab.count(window("a"), str(photo), *opened.form(model="tiny-x2"))
    (first, size), (second, _) = opened.prepared
    with Image.open(photo) as picture:
        assert size == picture.width * picture.height
    assert first.model != "auto" and first.model == opened.service.automatic(photo, first.but(model="auto"))
    assert second.model == "tiny-x2" and second.scale == 2
    opened.tab.count(window("a"), None, *opened.form())
    assert len(opened.prepared) == 2
