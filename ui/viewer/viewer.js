const find = (name) => element.querySelector("." + name);
const state = { zoom: 0, x: 0, y: 0, split: 0.5, key: null, picking: null, drag: null, pinch: null, run: 0, playing: false, seen: false };
const pointers = new Map();
let view = props.value;

const address = (path) =>
  ((window.gradio_config && window.gradio_config.root) || "") + "/gradio_api/file=" + path.split("/").map(encodeURIComponent).join("/");
const pixel = () => 1 / (window.devicePixelRatio || 1);
const size = () => { const box = find("stage").getBoundingClientRect(); return [box.width, box.height]; };
const fitting = () => { const [w, h] = size(); return Math.min(w / view.width, h / view.height, 4); };
const zoom = () => state.zoom || fitting();
const finest = () => (filming() ? leader().videoWidth : find("after").naturalWidth) || 1;

function load(image, path) {
  const wanted = path ? address(path) : null;
  if (!wanted) {
    image.removeAttribute("src");
    if (image.dataset.path && image.load) image.load();  // a film that is gone holds no picture and no memory
  } else if (image.dataset.path !== wanted) image.src = wanted;
  image.dataset.path = wanted || "";
}

function place() {
  const stage = find("stage"), scene = find("scene"), divider = find("divider");
  if (!stage || !view || !view.width) return;
  const [w, h] = size(), scale = zoom(), width = view.width * scale, height = view.height * scale;
  const within = (at, inner, outer) => (inner <= outer ? (outer - inner) / 2 : Math.min(0, Math.max(outer - inner, at)));
  if (!state.zoom) { state.x = (w - width) / 2; state.y = (h - height) / 2; }
  state.x = within(state.x, width, w);
  state.y = within(state.y, height, h);
  scene.style.cssText = `width:${width}px;height:${height}px;transform:translate(${state.x}px,${state.y}px)`;
  scene.classList.toggle("pixels", scale > pixel() * 1.01 && scale * (view.width / Math.max(1, finest())) > 1.01);
  const line = Math.min(w, Math.max(0, state.split * w));
  const cut = Math.min(width, Math.max(0, line - state.x));
  find("half").style.clipPath = view.before ? `inset(0 0 0 ${cut}px)` : "none";
  divider.style.left = line + "px";
  divider.setAttribute("aria-valuenow", Math.round(state.split * 100));
  find("percent").textContent = Math.round((scale / pixel()) * 100) + " %";
  mark(scale);
}

function mark(scale) {
  const factor = scale * (view.width / Math.max(1, view.input_width)), square = find("square");
  square.style.display = state.picking ? "block" : "none";
  if (state.picking) {
    const side = Math.min(view.picking, view.input_width, view.height / (view.width / view.input_width));
    square.style.cssText += `;left:${(state.picking[0] - side / 2) * factor}px;top:${(state.picking[1] - side / 2) * factor}px;` +
      `width:${side * factor}px;height:${side * factor}px`;
  }
  for (const button of find("marks").children) {
    const box = view.boxes[Number(button.dataset.index)];
    button.style.cssText = `left:${box.left * factor}px;top:${box.top * factor}px;width:${box.width * factor}px;height:${box.height * factor}px`;
  }
}

function words() {
  const w = props.words, both = view && view.before && view.after;
  const vacant = !(view && view.width);
  find("stage").setAttribute("role", vacant ? "button" : "group");
  find("stage").setAttribute("aria-label", vacant ? w.empty : w.stage);
  find("divider").setAttribute("aria-label", w.divider);
  find("tools").setAttribute("aria-label", w.stage);
  for (const [name, text] of [["in", w.zoom_in], ["out", w.zoom_out], ["one", "100 %"], ["full", w.full]]) {
    find(name).setAttribute("aria-label", text);
    find(name).title = text;
  }
  const play = state.playing ? w.pause : w.play;
  find("play").setAttribute("aria-label", play);
  find("play").title = play;
  find("seek").setAttribute("aria-label", w.position);
  follower().setAttribute("aria-label", w.before);
  leader().setAttribute("aria-label", w.after);
  find("fit").textContent = w.fit;
  find("left").textContent = w.before;
  find("right").textContent = w.after;
  find("before").alt = both ? w.before : w.stage;
  find("after").alt = w.after;
  find("empty").textContent = vacant ? w.empty : "";
  find("tip").textContent = view && view.picking ? w.pick : "";
}

function show() {
  view = props.value || {};
  if (view.run) state.run = view.run;  // a part may lie on the stage while the result stays below, with its sliders
  const both = Boolean(view.before && view.after), vacant = !view.width;
  find("frame").classList.toggle("vacant", vacant);
  const film = filming(), other = film && leader().dataset.path !== address(view.after);
  load(find("before"), film ? null : view.before);
  load(find("after"), film ? null : view.after);
  load(find("mix"), both && !film ? view.before : null);
  load(find("heat"), view.heat || null);
  load(follower(), film ? view.before : null);
  load(leader(), film ? view.after : null);
  if (other) state.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!film) state.playing = false;
  find("frame").classList.toggle("films", film);
  find("mix").style.opacity = 0;
  for (const name of ["left", "right", "divider"]) find(name).style.display = both ? "block" : "none";
  if (view.key !== state.key) { state.zoom = 0; state.split = 0.5; state.key = view.key; }
  if (view.picking && !state.picking) find("stage").focus();
  state.picking = view.picking ? state.picking || [view.input_width / 2, (view.height * view.input_width) / view.width / 2] : null;
  find("frame").style.setProperty("--ratio", vacant ? 1.5 : view.width / view.height);
  find("size").textContent = vacant ? "" : `${view.width} × ${view.height}`;
  find("marks").replaceChildren(...(view.boxes || []).map((box, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.index = index;
    button.title = box.why;
    button.setAttribute("aria-label", `${props.words.face} ${box.number}. ${box.why}`);
    button.setAttribute("aria-pressed", box.on);
    button.innerHTML = `<span>${Number(box.number)}</span>`;
    return button;
  }));
  words();
  place();
  play();
}

// -- films: two short ones without sound, one over the other; that after leads, that before keeps up with it --

const filming = () => Boolean(view && view.frame_seconds && view.before && view.after);
const follower = () => find("film-before"), leader = () => find("film-after");
const films = () => [leader(), follower()];
function play() {
  find("frame").classList.toggle("playing", state.playing);
  if (!filming()) return;
  if (!state.playing || !state.seen) { for (const film of films()) film.pause(); return; }
  if (films().some((film) => film.readyState < 3 || film.seeking)) return;  // they begin together, or not yet
  const still = leader().paused;
  for (const film of films()) film.play().catch(() => {});
  if (still) requestAnimationFrame(keepUp);
}
function keepUp() {
  if (!filming() || leader().paused) return;
  const apart = follower().currentTime - leader().currentTime;
  if (Math.abs(apart) > 0.2) { if (!follower().seeking) follower().currentTime = leader().currentTime; }
  else follower().playbackRate = 1 - 4 * Math.max(-0.1, Math.min(0.1, apart));
  tell();
  requestAnimationFrame(keepUp);
}
function tell() { if (leader().duration) find("seek").value = leader().currentTime / leader().duration; }
// A still: both in the middle of the same frame.
function still(seconds) {
  state.playing = false;
  play();
  const step = view.frame_seconds, last = Math.max(0, Math.round((leader().duration || step) / step) - 1);
  const at = (Math.min(last, Math.max(0, Math.floor(seconds / step + 0.01))) + 0.5) * step;
  for (const film of films()) film.currentTime = at;
  words();
}
function toggle() {
  if (state.playing) { still(leader().currentTime); tell(); return; }
  state.playing = true;
  words();
  play();
}
for (const film of films()) {
  for (const name of ["canplay", "seeked"]) film.addEventListener(name, play);
  film.addEventListener("loadedmetadata", place);
}
// Each round begins with both at the beginning, so that nothing adds up.
leader().addEventListener("ended", () => { for (const film of films()) film.currentTime = 0; });
find("seek").addEventListener("input", (event) => still(Number(event.target.value) * (leader().duration || 0)));
new IntersectionObserver((seen) => { state.seen = seen[seen.length - 1].isIntersecting; play(); }).observe(find("stage"));

function zoomTo(wanted, x, y) {
  const [w, h] = size(), before = zoom(), at = [x ?? w / 2, y ?? h / 2];
  const scale = Math.min(Math.max(wanted, Math.min(fitting(), pixel()) / 4), 16 * pixel());
  state.x = at[0] - ((at[0] - state.x) * scale) / before;
  state.y = at[1] - ((at[1] - state.y) * scale) / before;
  state.zoom = scale;
  place();
}
const fit = () => { state.zoom = 0; place(); };

function local(event) { const box = find("stage").getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; }
function inInput([x, y]) {
  const factor = zoom() * (view.width / view.input_width), side = view.picking / 2, height = (view.height * view.input_width) / view.width;
  const bounded = (at, length) => (length <= 2 * side ? length / 2 : Math.min(length - side, Math.max(side, at)));
  return [bounded((x - state.x) / factor, view.input_width), bounded((y - state.y) / factor, height)];
}
function pick() { trigger("pick", { x: Math.round(state.picking[0]), y: Math.round(state.picking[1]) }); }

element.addEventListener("click", (event) => {
  const hit = event.target.closest("button");
  if (!hit || !element.contains(hit)) return;
  if (hit.dataset.index !== undefined) trigger("face", { number: view.boxes[Number(hit.dataset.index)].number });
  else if (hit.classList.contains("play")) toggle();
  else if (hit.classList.contains("in")) zoomTo(zoom() * 1.5);
  else if (hit.classList.contains("out")) zoomTo(zoom() / 1.5);
  else if (hit.classList.contains("fit")) fit();
  else if (hit.classList.contains("one")) zoomTo(pixel());
  else if (hit.classList.contains("full")) {
    if (document.fullscreenElement) document.exitFullscreen(); else find("frame").requestFullscreen();
  }
});

element.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".stage") || event.target.closest(".marks button") || !view.width) return;
  const at = local(event);
  pointers.set(event.pointerId, at);
  find("stage").setPointerCapture(event.pointerId);
  if (pointers.size > 1) {
    const [a, b] = [...pointers.values()];
    state.pinch = { apart: Math.hypot(a[0] - b[0], a[1] - b[1]), zoom: zoom() };
    state.drag = null;  // two fingers neither choose a part nor move the divider
    return;
  }
  const both = view.before && view.after, [w] = size();
  const splits = both && (event.target.closest(".divider") || Math.abs(at[0] - state.split * w) < 24 || !state.zoom);
  if (state.picking) { state.picking = inInput(at); state.drag = "pick"; }
  else state.drag = splits ? "split" : "pan";
  if (state.drag === "split") state.split = at[0] / w;
  state.last = at;
  place();
});
element.addEventListener("pointermove", (event) => {
  if (state.picking && !pointers.size && event.target.closest(".stage")) { state.picking = inInput(local(event)); place(); }
  if (!pointers.has(event.pointerId)) return;
  const at = local(event);
  pointers.set(event.pointerId, at);
  if (pointers.size === 2 && state.pinch) {
    const [a, b] = [...pointers.values()];
    zoomTo((state.pinch.zoom * Math.hypot(a[0] - b[0], a[1] - b[1])) / state.pinch.apart, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
    return;
  }
  if (state.drag === "split") state.split = Math.min(1, Math.max(0, at[0] / size()[0]));
  else if (state.drag === "pick") state.picking = inInput(at);
  else { state.x += at[0] - state.last[0]; state.y += at[1] - state.last[1]; }
  state.last = at;
  place();
});
const release = (event) => {
  if (!pointers.delete(event.pointerId)) return;
  if (state.drag === "pick" && event.type === "pointerup") pick();
  if (!pointers.size) { state.drag = null; state.pinch = null; }
  else state.last = [...pointers.values()][0];  // the finger that stays goes on from where it is
};
element.addEventListener("pointerup", release);
element.addEventListener("pointercancel", release);
element.addEventListener("wheel", (event) => {
  if (!event.target.closest(".stage") || !view.width || !(event.ctrlKey || event.metaKey || state.zoom)) return;
  event.preventDefault();
  zoomTo(zoom() * Math.exp(-event.deltaY / 400), ...local(event));
}, { passive: false });
element.addEventListener("dblclick", (event) => {
  if (event.target.closest(".stage") && view.width && !state.picking) state.zoom ? fit() : zoomTo(pixel(), ...local(event));
});
element.addEventListener("keydown", (event) => {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!view.width || !event.target.closest(".stage") || event.target.closest(".marks button")) return;
  let known = true;
  if (event.target.closest(".divider") && (arrows || event.key === "Home" || event.key === "End")) {
    const moved = arrows ? state.split + (arrows[0] - arrows[1]) * (event.shiftKey ? 0.1 : 0.02) : event.key === "Home" ? 0 : 1;
    state.split = Math.min(1, Math.max(0, moved));
  } else if (arrows && state.picking) {
    const factor = zoom() * (view.width / view.input_width), step = event.shiftKey ? 64 : 8;
    state.picking = inInput([state.x + (state.picking[0] + arrows[0] * step) * factor, state.y + (state.picking[1] + arrows[1] * step) * factor]);
  } else if (arrows) { state.x -= arrows[0] * 60; state.y -= arrows[1] * 60; }
  else if (event.key === "Enter" && state.picking) pick();
  else if (event.key === " " && filming()) toggle();
  else if (event.key === "+" || event.key === "=") zoomTo(zoom() * 1.5);
  else if (event.key === "-") zoomTo(zoom() / 1.5);
  else if (event.key === "0") fit();
  else if (event.key === "1") zoomTo(pixel());
  else known = false;
  if (known) { event.preventDefault(); place(); }
});
// While the fidelity slider is dragged the plainly enlarged input lies over the result; the true picture follows.
document.addEventListener("input", (event) => {
  if (places()[0] !== "#picture" || !event.target.closest("#adjust-fidelity") || !view.after || !view.before) return;
  const share = (Number(event.target.value) - view.fidelity) / Math.max(0.01, 1 - view.fidelity);
  if (find("mix")) find("mix").style.opacity = Math.min(1, Math.max(0, share));
});
// "change" comes when the slider is let go, and at every key.
document.addEventListener("change", (event) => {
  const value = Number(event.target.value);
  if (places()[0] !== "#picture") return;
  if (event.target.closest("#adjust-fidelity") && view.after) trigger("adjust", { run: state.run, fidelity: value });
  if (event.target.closest("#adjust-faces") && view.after) trigger("adjust", { run: state.run, faces: value });
});

// The stage takes files too: dropped on it, pasted anywhere, or chosen after a click on the empty stage.
// The first one's field is gone once it holds a picture; that of "another picture" stays.
const places = () => (props.takes || "").split(",").map((place) => place.trim()).filter(Boolean);
const chooser = (among = places()) => among.map((place) => document.querySelector(`${place} input[type=file]`)).find(Boolean) || null;
async function give(files) {
  if (!files.length || !places().length) return;
  const many = Boolean(props.several) && files.length > 1 && files.every((file) => file.type.startsWith("image/"));
  const among = many ? [props.several] : places();
  // What a field for several holds already has a place for more of them: those before are to go.
  const clear = () => [...document.querySelectorAll(`${among[0]} .icon-button-wrapper button`)].pop();
  if (many ? clear() : !chooser(among)) {
    if (clear()) clear().click();
    for (let tries = 0; tries < 400 && (many ? clear() : !chooser(among)); tries++) await new Promise((done) => setTimeout(done, 50));
  }
  const bag = new DataTransfer(), field = chooser(among);
  for (const file of many ? files : files.slice(0, 1)) bag.items.add(file);
  field.files = bag.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}
const shown = () => element.offsetParent !== null;
element.addEventListener("click", (event) => { if (!view.width && event.target.closest(".stage") && chooser()) chooser().click(); });
element.addEventListener("keydown", (event) => {
  if (!view.width && event.target.closest(".stage") && (event.key === "Enter" || event.key === " ") && chooser()) {
    event.preventDefault();
    chooser().click();
  }
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => { event.preventDefault(); give([...event.dataTransfer.files]); });
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData ? event.clipboardData.files : [])].filter((file) => file.type.startsWith(props.kind));
  if (places().length && shown() && files.length) { event.preventDefault(); give(files); }
});
new ResizeObserver(place).observe(find("stage"));
for (const name of ["before", "after"]) find(name).addEventListener("load", place);
watch("value", show);
watch("words", words);
show();
