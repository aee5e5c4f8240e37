"""The page that is shown until the program is there: its name, what it does, and that it starts.

It needs nothing from elsewhere, knows no address but its own, so that it works behind any proxy, and opens the program
by itself: by a script that asks whether it is there, and without scripts by loading itself again. It moves only as
often as it asks: where no graphics card draws, an animation would take the processor from the program that starts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape

from desktop.words import NAME, text

_STYLE = """
:root { color-scheme: light dark; --back: #f8fafc; --text: #0f172a; --quiet: #475569; --rail: #cbd5e1; }
@media (prefers-color-scheme: dark) {
  :root { --back: #020617; --text: #f1f5f9; --quiet: #cbd5e1; --rail: #334155; }
}
html { height: 100%; background: var(--back); color: var(--text); }
body { margin: 0; min-height: 100%; display: grid; place-items: center; line-height: 1.45;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { padding: 24px; max-width: 30rem; }
h1 { margin: 0; font-size: 1.3rem; font-weight: 680; letter-spacing: -.015em; }
p { margin: 6px 0 0; color: var(--quiet); }
.rail { height: 3px; margin-top: 18px; border-radius: 2px; overflow: hidden; background: var(--rail); }
.rail i { display: block; width: 30%; height: 100%; background: var(--quiet); }
.ended .rail { visibility: hidden; }
"""
_SCRIPT = """
const said = document.getElementById("said");
const bar = document.querySelector(".rail i");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
let unanswered = 0, place = 0;
async function look() {
  place = (place + 1) % 8;
  if (!still) bar.style.marginLeft = `${place * 10}%`;
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" });
    if (answer.status !== 503) return location.reload();
    unanswered = 0;
  } catch {
    unanswered += 1;
    if (unanswered === 3) {
      document.body.className = "ended";
      said.textContent = said.dataset.ended;
    }
  }
  setTimeout(look, 400);
}
look();
"""
_RELOAD_SECONDS = 1


def _hashed(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hashed(_STYLE)}; script-src {_hashed(_SCRIPT)}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""The page's Content-Security-Policy."""


def page(language: str) -> bytes:
    """The page in a language of ``desktop.words``."""
    starting, ended = (escape(text(key, language)) for key in ("starting", "starting_ended"))
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<noscript><meta http-equiv="refresh" content="{_RELOAD_SECONDS}"></noscript>
<title>{escape(NAME)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(NAME)}</h1>
<p>{escape(text("comment", language))}.</p>
<div class="rail"><i></i></div>
<p id="said" role="status" data-ended="{ended}">{starting}</p>
</main>
<script>{_SCRIPT}</script>
</body>
</html>
""".encode()


def refusal() -> bytes:
    """What programs are told instead, as the API words its errors."""
    message = "The program is still starting; ask again in a second."
    return json.dumps({"error": {"type": "StartingError", "message": message}}).encode()


__all__ = ["POLICY", "page", "refusal"]
