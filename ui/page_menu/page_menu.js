const find = (name) => element.querySelector("." + name);
const chosen = () => (document.cookie.match(new RegExp(`(?:^|; )${props.cookie}=([a-z]{2})(?:;|$)`)) || [])[1] || "";

function own(code) {  // what a language calls itself
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) || code;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function draw() {
  const words = props.words, select = find("language");
  if (!select) return;
  const option = ([value, name]) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = name;
    return made;
  };
  select.replaceChildren(...[["", words.auto], ...words.languages.map((code) => [code, own(code)])].map(option));
  select.value = chosen();
  if (select.selectedIndex < 0) select.value = "";
  select.setAttribute("aria-label", words.language);
  select.title = words.language;
  find("ask").title = words.keys;
  find("ask").setAttribute("aria-label", words.keys);
  find("keys").setAttribute("aria-label", words.keys);
  find("title").textContent = words.keys;
  find("close").textContent = words.close;
  find("keys").querySelector("tbody").replaceChildren(...words.rows.map(([key, text]) => {
    const row = document.createElement("tr"), head = document.createElement("th"), cell = document.createElement("td");
    head.scope = "row";
    for (const one of key.split(" ")) {
      if (one === "+" && key !== "+ −") { head.append(" + "); continue; }
      const cap = document.createElement("kbd");
      cap.textContent = one;
      head.append(head.childNodes.length && key === "+ −" ? " " : "", cap);
    }
    cell.textContent = text;
    row.append(head, cell);
    return row;
  }));
}

element.addEventListener("change", (event) => {
  if (!event.target.closest(".language")) return;
  const value = event.target.value;
  document.cookie = `${props.cookie}=${value}; path=/; samesite=lax; max-age=${value ? 31536000 : 0}`;
  window.location.reload();
});
const show = () => { if (!find("keys").open) find("keys").showModal(); };
element.addEventListener("click", (event) => {
  if (event.target.closest(".ask")) show();
  else if (event.target === find("keys")) find("keys").close();  // beside the list
});

// -- the keys
const written = "textarea, select, [contenteditable=''], [contenteditable=true], input:not([type=radio], [type=checkbox], [type=range], [type=file], [type=button])";
const typing = (target) => Boolean(target && target.closest && target.closest(written));
function press(selector) {
  const one = document.querySelector(selector);
  if (!one || one.disabled || !one.checkVisibility()) return false;
  one.click();
  return true;
}
function turn() {  // all of one side, then all of the other
  const divider = document.querySelector("#stage .divider");
  if (!divider || !divider.checkVisibility()) return false;
  const key = Number(divider.getAttribute("aria-valuenow")) >= 50 ? "Home" : "End";
  divider.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  return true;
}
const single = {
  "?": () => { show(); return true; },
  b: turn,
  h: () => press("#heat"),
  1: () => press("#stage .tools .one"),
  0: () => press("#stage .tools .fit"),
  "+": () => press("#stage .tools .in"),
  "-": () => press("#stage .tools .out"),
  f: () => press("#stage .tools .full"),
};
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.isComposing || typing(event.target) || find("keys").open) return;
  const command = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let done = false;
  if (command) done = key === "Enter" && press("#enhance");
  else if (key === "Escape") done = !document.fullscreenElement && press("#cancel");
  else if (single[key] && !event.repeat) done = single[key]();
  if (done) event.preventDefault();
});
watch("words", draw);
draw();
