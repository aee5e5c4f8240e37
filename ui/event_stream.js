// Gradio's client waits for the answers to all its events on one stream, which the server ends after the last answer.
// An event that is asked for just before the end is read finds a stream, and its answer never comes. And as the client
// reads of the end it breaks the connection, which the server may take for a page that was closed: it drops what that
// page still waits for. So the end is kept from the client until the server has ended the stream, and while an event
// waits, the client's stream goes on with the server's next one.
(() => {
  const plain = window.fetch;
  const waiting = new Set();  // events that were taken and have not ended
  const early = new Set();  // events whose end came before the word that they were taken
  let asking = 0;

  const head = (message) => /^data:\s*\{"msg":\s*"(\w+)"(?:,\s*"event_id":\s*"([^"]*)")?/.exec(message.slice(0, 300)) || [];

  async function ask(input, init) {
    asking += 1;
    try {
      const answer = await plain.call(window, input, init);
      note(answer.clone());
      return answer;
    } catch (error) {
      asking -= 1;
      throw error;
    }
  }

  // Not waited for: the client's answer must not come later because of it.
  async function note(answer) {
    const taken = await answer.json().catch(() => null);
    if (taken && taken.event_id && !early.delete(taken.event_id)) waiting.add(taken.event_id);
    asking -= 1;
  }

  // Hands whole messages to `give`, until the server ends the stream; its word of the end, where it sent one.
  async function read(reader, give) {
    const decoder = new TextDecoder();
    let text = "", last = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const messages = (text + decoder.decode(part.value, { stream: true })).split("\n\n");
      text = messages.pop();
      for (const message of messages) {
        const [, kind, event] = head(message);
        if (kind === "process_completed" && event && !waiting.delete(event)) early.add(event);
        if (kind === "close_stream") last = `${message}\n\n`;
        else give(`${message}\n\n`);
      }
    }
    return last;
  }

  async function listen({ url, headers, credentials }) {
    const open = () => plain.call(window, url, { headers, credentials });  // without the client's way to break it
    const first = await open(), encoder = new TextEncoder();
    if (!first.ok || !first.body) return first;
    let reader = first.body.getReader();
    const body = new ReadableStream({
      async start(controller) {
        const give = (message) => controller.enqueue(encoder.encode(message));
        try {
          let last = await read(reader, give);
          while (last && (asking || waiting.size)) {
            const next = await open();
            if (!next.ok || !next.body) throw new Error(`the stream of answers: ${next.status}`);
            reader = next.body.getReader();
            last = await read(reader, give);
          }
          if (last) give(last);
          controller.close();
        } catch (error) {
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return new Response(body, { status: first.status, headers: first.headers });
  }

  window.awaited = () => asking + waiting.size;  // events that were not answered yet

  window.fetch = (input, init) => {
    const address = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const path = String(address).split("?")[0];
    if (path.endsWith("/queue/join")) return ask(input, init);
    if (path.endsWith("/queue/data")) return listen(new Request(input, init));
    return plain.call(window, input, init);
  };
})();
