"""An answer of the server reaches the page although the stream that should bring it ends; in a real browser.

The server is the test: each call of ``fetch`` is answered as written here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import ui.app

SCRIPT = Path(ui.app.__file__).with_name("event_stream.js")
SERVER = """
  window.asked = [];
  window.streams = [];  // of each: what was sent, whether it is to end
  window.taken = {};
  window.fetch = async (input) => {
    const address = typeof input === "string" ? input : input.url;
    window.asked.push(address);
    if (address.includes("/queue/join")) {
      const event = address.split("event=")[1];
      await new Promise((go) => { window.taken[event] = go; });
      return new Response(JSON.stringify({ event_id: event }), { status: 200 });
    }
    if (!address.includes("/queue/data")) return new Response("other", { status: 201 });
    const body = new ReadableStream({ start(controller) { window.streams.push(controller); } });
    return new Response(body, { status: 200 });
  };
  window.send = (number, message) => {
    const text = `data: ${JSON.stringify(message)}\\n\\n`, half = Math.floor(text.length / 2);
    for (const part of [text.slice(0, half), text.slice(half)]) streams[number].enqueue(new TextEncoder().encode(part));
  };
"""
CLIENT = """
  window.got = [];
  window.ended = false;
  window.join = (event) => fetch(`http://x/queue/join?event=${event}`).then((answer) => answer.json());
  window.listen = async () => {
    const reader = (await fetch(new Request("http://x/queue/data?session_hash=1", { signal: AbortSignal.abort() }))).body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const text = new TextDecoder().decode(part.value);
      got.push(...text.trim().split("\\n\\n").map((one) => JSON.parse(one.slice(6))).map((one) => one.event_id || one.msg));
    }
    ended = true;
  };
"""


@pytest.fixture
def blank(browser):
    """A page with the script, a server and a client in it."""
    page = browser.new_page()
    for part in (SERVER, SCRIPT.read_text("utf-8"), CLIENT):
        page.evaluate(f"() => {{ {part} }}")
    yield page
    page.close()


def listen(page) -> None:
    page.evaluate("() => { listen(); }")
    page.wait_for_function("streams.length === 1")


def joined(page, event: str) -> None:
    """The server has taken an event, and the client knows."""
    page.evaluate("event => { window.answer = join(event); }", event)
    page.wait_for_function("event => taken[event]", arg=event)
    page.evaluate("async event => { taken[event](); await answer; }", event)


def end(page, stream: int) -> None:
    send(page, stream, "close_stream")
    page.evaluate("stream => streams[stream].close()", stream)


def send(page, stream: int, kind: str, event: str | None = None) -> None:
    page.evaluate("([stream, message]) => send(stream, message)", [stream, {"msg": kind, "event_id": event}])


@pytest.mark.parametrize("known", [True, False], ids=["taken", "being-asked-for"])
def test_an_event_that_waits_as_the_stream_ends_gets_its_answer_on_the_next_one(blank, known):
    joined(blank, "one")
    listen(blank)
    blank.evaluate("() => { window.answer = join('two'); }")
    told = "async () => { taken.two(); await answer; }"
    if known:
        blank.evaluate(told)
    send(blank, 0, "process_completed", "one")
    end(blank, 0)
    blank.wait_for_function("streams.length === 2")
    if not known:
        blank.evaluate(told)
    send(blank, 1, "process_completed", "two")
    end(blank, 1)
    blank.wait_for_function("ended")
    assert blank.evaluate("got") == ["one", "two", "close_stream"]


def test_one_that_ended_before_the_word_that_it_was_taken_is_not_waited_for(blank):
    joined(blank, "one")
    listen(blank)
    blank.evaluate("() => { window.answer = join('two'); }")
    send(blank, 0, "process_completed", "two")
    blank.wait_for_function("got.length === 1")
    blank.evaluate("async () => { taken.two(); await answer; }")
    send(blank, 0, "process_completed", "one")
    end(blank, 0)
    blank.wait_for_function("ended")
    assert blank.evaluate("streams.length") == 1 and blank.evaluate("got") == ["two", "one", "close_stream"]


def test_the_client_reads_of_the_end_when_the_server_has_ended_the_stream(blank):
    joined(blank, "one")
    listen(blank)
    send(blank, 0, "process_completed", "one")
    send(blank, 0, "close_stream")
    send(blank, 0, "heartbeat")
    blank.wait_for_function("got.includes('heartbeat')")
    assert "close_stream" not in blank.evaluate("got")
    blank.evaluate("streams[0].close()")
    blank.wait_for_function("ended")
    assert blank.evaluate("got.at(-1)") == "close_stream"


def test_a_stream_whose_events_have_ended_ends_and_others_pass_as_they_are(blank):
    joined(blank, "one")
    listen(blank)
    send(blank, 0, "process_completed", "one")
    end(blank, 0)
    blank.wait_for_function("ended")
    assert blank.evaluate("streams.length") == 1
    assert blank.evaluate("fetch('http://x/config').then(answer => answer.status)") == 201


def test_a_connection_that_breaks_is_told_as_ever(blank):
    joined(blank, "one")
    blank.evaluate("() => { window.broken = ''; listen().catch(error => { broken = String(error); }); }")
    blank.wait_for_function("streams.length === 1")
    blank.evaluate("streams[0].error(new Error('lost'))")
    blank.wait_for_function("broken.includes('lost')")
