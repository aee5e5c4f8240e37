"""An answer in several parts arrives whole, although its parts come together; in a real browser."""

from __future__ import annotations

import threading

import gradio as gr
import pytest

from tests.waiting import LONG
from ui.page import Page

LATE = """
  const plain = window.fetch;
  let parts = 0, go = null;
  window.fetch = async (input, init) => {
    const address = String(input.url || input), answer = await plain.call(window, input, init);
    if (address.includes("/queue/join") && window.late) await new Promise((ready) => { go = ready; });
    if (!address.includes("/queue/data")) return answer;
    const seen = new TransformStream({ transform(part, controller) {
      parts += (new TextDecoder().decode(part).match(/process_generating/g) || []).length;
      controller.enqueue(part);
      if (go && parts >= 4) setTimeout(go);
    } });
    return new Response(answer.body.pipeThrough(seen), { status: answer.status, headers: answer.headers });
  };
"""
"""The word that an event was taken comes after three parts of its answer; the client then looks at them all at once."""


@pytest.fixture
def served():
    """A page whose button shows another one, and then tells how far it is; a second one keeps the stream open."""
    over = threading.Event()
    with Page() as blocks:
        listen, start, told = gr.Button("Listen", elem_id="listen"), gr.Button("Start", elem_id="start"), gr.HTML()
        stop = gr.Button("Stop", elem_id="stop", visible=False)

        def wait():
            yield "<p id='open'>open</p>"
            over.wait(LONG)

        def work():
            yield {stop: gr.update(visible=True)}
            for step in ("one", "two"):
                yield {told: f"<p>{step}</p>"}
            over.wait(LONG)
            yield {told: "<p id='three'>three</p>"}

        listen.click(wait, None, told)
        start.click(work, None, [told, stop])
    address = blocks.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)[1]
    yield address, over
    over.set()
    blocks.close()


def test_what_one_part_shows_stays_when_the_next_says_nothing_of_it(browser, served):
    address, over = served
    page = browser.new_page()
    page.add_init_script(LATE)
    page.goto(address)
    page.click("#listen")
    page.wait_for_selector("#open")
    page.evaluate("window.late = true")
    page.click("#start")
    page.wait_for_selector("p:has-text('two')")
    page.wait_for_selector("#stop", state="visible", timeout=10_000)
    over.set()
    page.wait_for_selector("#three")
    page.close()


def test_only_what_is_new_is_sent_again_and_the_end_draws_nothing():
    sent = []
    with Page() as blocks:
        told, kept = gr.HTML(), gr.HTML()

        def work():
            yield "a", "same"
            yield "ab", "same"

        gr.Button().click(work, None, [told, kept], api_name="work")
    block_fn = next(iter(blocks.fns.values()))
    for part in (["a", "same"], ["ab", "same"]):
        sent.append(blocks.handle_streaming_diffs(block_fn, part, "session", "run", final=False))
    assert sent == [["a", "same"], [[["replace", [], "ab"]], []]]
    assert blocks.handle_streaming_diffs(block_fn, [None, None], "session", "run", final=True) == [gr.skip()] * 2
    assert not blocks.pending_diff_streams.get("session")
