const STORED = "upscaler-notices";
const wanted = () => { try { return localStorage.getItem(STORED); } catch { return null; } };
const want = (value) => { try { localStorage.setItem(STORED, value); } catch { /* private windows keep nothing */ } };
const native = () => window.pywebview && window.pywebview.api && window.pywebview.api.notify ? window.pywebview.api : null;
const browser = () => (typeof Notification === "undefined" || !window.isSecureContext ? null : Notification);
const blocked = () => !native() && (!browser() || browser().permission === "denied");
const granted = () => Boolean(native()) || (browser() !== null && browser().permission === "granted");
// In the program's own window nothing has to be allowed, so only a person who switched it off is not told.
const on = () => granted() && (wanted() === "on" || (Boolean(native()) && wanted() !== "off"));
const bell = () => element.querySelector(".bell");

function draw() {
  const button = bell(), words = props.words;
  document.documentElement.lang = words.language;  // Gradio's page says "en", and would be read aloud as that
  if (!button) return;
  const text = blocked() ? words.blocked : on() ? words.on : words.off;
  const hint = blocked() ? words.hint_blocked : words.hint;
  if (button.textContent !== text) button.textContent = text;
  if (button.title !== hint) button.title = hint;
  button.setAttribute("aria-pressed", String(on()));
}

async function ask() {
  if (!native() && browser() && browser().permission === "default") await browser().requestPermission();
  if (granted()) want("on");
  draw();
}

element.addEventListener("click", async (event) => {
  if (!event.target.closest(".bell")) return;
  if (on()) want("off"); else await ask();
  draw();
});

// A long job that a person starts by a click: asked once, and never one who switched it off.
document.addEventListener("click", (event) => {
  const start = event.isTrusted && event.target.closest && event.target.closest("#enhance, #video-start, #batch-start, #batch-go-on");
  if (!start || wanted() !== null) return;
  const estimate = document.querySelector("#estimate [data-seconds]");
  if (start.id === "enhance" && !(estimate && Number(estimate.dataset.seconds) >= props.long)) return;
  ask();
}, true);

const before = {}, known = {};
let ended = null;

// Of a place that lists its ended jobs: those that were not there before. What the page sees first is nothing new.
function news(tab, box) {
  const list = box && box.querySelector("[data-ended]");
  if (!list) return;
  const all = JSON.parse(list.dataset.ended), seen = known[tab];
  known[tab] = new Set(all.map(([key]) => key));
  for (const [key, state, name] of all) if (seen && !seen.has(key) && state !== "stopped") tell(tab, state, name, key);
}

function look() {
  const shares = [];
  for (const [tab, place] of Object.entries(props.places)) {
    const box = document.getElementById(place), mark = box && box.querySelector("[data-job]"), state = mark ? mark.dataset.job : "";
    if (state === "running") shares.push(Number(mark.getAttribute("aria-valuenow")) || 0);
    const lists = Boolean(box && box.querySelector("[data-ended]"));
    const over = !lists && before[tab] === "running" && (state === "done" || state === "failed");
    // A place that is empty for a moment, or not drawn, says nothing about its job.
    if (box && box.textContent.trim() || mark) before[tab] = state;
    if (over) tell(tab, state);
    news(tab, box);
  }
  if (shares.length) ended = null;
  const lead = shares.length ? `${Math.round(Math.min(...shares))} %` : ended === "done" ? `✓ ${props.words.done}` : ended === "failed" ? `✗ ${props.words.failed}` : "";
  const title = lead ? `${lead} · ${props.title}` : props.title;
  if (document.title !== title) {
    document.title = title;
    if (native() && native().title) native().title(title);
  }
}

function tell(tab, state, name = "", key = "") {
  ended = state;
  if (!on() || (!document.hidden && document.hasFocus())) return;
  const words = props.words, head = state === "done" ? words.done : words.failed;
  const sentence = words[state === "done" ? tab : `${tab}_failed`], text = name ? `${name}: ${sentence}` : sentence;
  if (native()) { native().notify(head, text); return; }
  const shown = new (browser())(head, { body: text, tag: `upscaler-${tab}${key}` });
  shown.onclick = () => { window.focus(); shown.close(); };
}

// "Done" stands in the title until the person has come back and done something.
for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => { ended = null; look(); }, true);
window.addEventListener("pywebviewready", draw);
watch("words", () => { draw(); look(); });
new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-job", "data-ended", "aria-valuenow"] });
draw();
look();
