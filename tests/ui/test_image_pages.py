"""Documents in the Image tab: the chosen page is on the stage, and the download is the whole document."""

from __future__ import annotations

import asyncio
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from engine.types import JobControl
from tests.documents import pdf, scanned
from tests.ui.test_image_tab import Opened, window
from tests.ui.test_image_work import ENGLISH, SETTINGS, config, service, visitor  # noqa: F401 (fixtures)
from ui.handlers import image_html
from utils import image_io
from utils.errors import InvalidSettingsError

DOCUMENT = SETTINGS.but(format="auto")


@pytest.fixture
def pages(scene):
    return [scene, np.ascontiguousarray(scene[:60, :50]), np.ascontiguousarray(scene[:40, :70, 0])]


@pytest.fixture(params=["scan.tif", "scan.pdf"])
def scan(request, pages, tmp_path):
    """Three pages of different sizes."""
    path = tmp_path / request.param
    if path.suffix == ".pdf":
        path.write_bytes(pdf([scanned(page, 300) for page in pages]))
    else:
        first, *others = map(Image.fromarray, pages)
        first.save(path, save_all=True, append_images=others)
    return path


def shown(view) -> np.ndarray:
    return image_io.load(Path(view.before)).pixels


def test_the_stage_shows_the_first_page_and_then_the_chosen_one(service, visitor, scan, pages):  # noqa: F811
    assert np.array_equal(shown(service.open(visitor, scan)), pages[0])
    assert service.show_page(visitor, scan, DOCUMENT) is None, "it is there already"
    view = service.show_page(visitor, scan, DOCUMENT.but(pages="3,1"))
    assert np.array_equal(shown(view)[..., :1], pages[2][..., None]) and (view.width, view.height) == (70, 40)
    assert service.view_of_input(visitor, scan).key == view.key, "and stays, for faces and parts"
    part, _ = service.region(visitor, scan, (30, 20), DOCUMENT.but(pages="3,1"), JobControl())
    assert part.before.size == (70, 40)
    with pytest.raises(InvalidSettingsError, match="there is no page 9"):
        service.show_page(visitor, scan, DOCUMENT.but(pages="9"))
    assert service.open(visitor, scan) is None


def test_the_result_is_the_document_compared_page_with_page(service, visitor, scan, pages):  # noqa: F811
    service.open(visitor, scan)
    run = service.enhance(visitor, scan, DOCUMENT.but(pages="2-3"), JobControl())
    assert Path(run.output_path).suffix == scan.suffix and image_io.probe(run.output_path).pages == 2
    assert run.metrics["pages"] == 2 and run.metrics["faithfulness_psnr_db"] > 25, "judged by the page it came from"
    view = service.view(visitor, run)
    assert np.array_equal(shown(view), pages[1]) and (view.width, view.height) == (100, 120)
    assert image_io.load(Path(view.after)).size == (100, 120)
    assert not service.can_readjust(run) and service.readjust(visitor, run, fidelity=0.5) is None
    assert ("Pages", "2") in image_html.metric_rows(run, ENGLISH)
    assert "3 pages" in image_html.facts(service.probe(scan), ENGLISH)


def test_time_is_that_of_all_pages(service, visitor, scan):  # noqa: F811
    one = service.estimate(scan, DOCUMENT.but(pages="1"))[1].seconds
    size, every = service.estimate(scan, DOCUMENT)
    assert size == (240, 180) and one < every.seconds < 3 * one


def test_faces_chosen_on_a_page_hold_for_that_page_alone(service, visitor, scan):  # noqa: F811
    service.open(visitor, scan)
    workspace = service.workspace(visitor)
    workspace.faces, workspace.chosen = {1: True, 2: False}, True
    asked = DOCUMENT.but(face_enhance=True)
    assert service.with_faces(visitor, scan, asked).face_keep == ()
    assert service.with_faces(visitor, scan, asked.but(pages="1")).face_keep == (1,)


def test_the_form_turns_the_page_and_enhances_what_it_says(config, manager, scan, pages):  # noqa: F811
    tab = Opened(config, manager)
    request, parts = window("one"), tab.parts

    def form(**values):
        said = {name: part.value for name, part in zip(parts.form.names, parts.form.components, strict=True)}
        return [({"model": "tiny-x4", "scale": 2} | said | {"model": "tiny-x4", "scale": 2} | values)[n] for n in said]

    tab.tab.opened(request, str(scan))
    assert tab.tab.turned(request, str(scan), *form(pages="")) == gr.skip()
    updates = tab.tab.turned(request, str(scan), *form(pages="2"))
    assert updates[parts.stage]["width"] == 50
    assert tab.tab.turned(request, str(scan), *form(pages="x")) == gr.skip(), "what is wrong, the estimate says"
    assert "1-3,7" in tab.tab.count(request, str(scan), *form(pages="x"))[0]

    async def run():
        return [updates async for updates in tab.tab.enhance(request, str(scan), *form(pages="2-"))]

    last = asyncio.run(run())[-1]
    assert image_io.probe(last[parts.download]["value"]).pages == 2
