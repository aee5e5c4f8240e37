"""The page that waits while the program starts: readable for everybody, and it becomes the program by itself."""

from __future__ import annotations

import signal

import pytest

from desktop.words import text
from tests.command_line import CommandLine, environment_for
from tests.desktop.held import PROGRAM, Imports
from tests.ports import free_port
from tests.ui.running import person
from tests.ui.test_accessibility import grave_faults
from tests.waiting import LONG, until


@pytest.fixture
def imports(tmp_path):
    (tmp_path / "imports").mkdir()
    return Imports(tmp_path / "imports")


@pytest.fixture
def starting(weights, tmp_path, imports):
    """The program, held in its imports, and its address."""
    port = free_port()
    environment = environment_for(weights, tmp_path, tmp_path / "data") | imports.environment
    environment |= {"REALESRGAN_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    with CommandLine(environment, tmp_path) as command:
        process = command.start(program=PROGRAM)
        until(lambda: imports.wait or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        yield process, f"http://127.0.0.1:{port}"


@pytest.fixture
def visit(browser, starting):
    """Opens the page for somebody."""
    contexts = []

    def opened(locale, scheme="light", **more):
        context = person(browser, locale=locale, color_scheme=scheme, **more)
        contexts.append(context)
        page = context.new_page()
        page.goto(starting[1])
        return page

    yield opened
    for context in contexts:
        context.close()


def test_it_is_readable_becomes_the_program_and_answers_a_click(visit, imports):
    faults = []
    page = visit("de-DE", "dark")
    assert page.locator("#said").inner_text() == text("starting", "de")
    back = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert back == "rgb(2, 6, 23)"
    faults += grave_faults(page, "dark")
    light = visit("en-GB")
    assert light.locator("#said").inner_text() == text("starting", "en")
    faults += grave_faults(light, "light")
    assert not faults, "\n".join(faults)
    plain = visit("en-GB", java_script_enabled=False)
    assert plain.locator("#said").inner_text() == text("starting", "en")

    imports.let()
    light.wait_for_selector("#enhance")
    page.wait_for_selector("#enhance")
    assert page.title() == light.title()
    page.click("#sample-drawing")
    page.wait_for_selector("#facts .chips")
    plain.locator("gradio-app").wait_for(state="attached")


def test_it_says_that_the_program_has_ended(visit, starting):
    process, _ = starting
    page = visit("en-GB")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)
    page.locator("#said", has_text=text("starting_ended", "en")).wait_for()
