"""Makes the pictures of the interface anew: ``python -m docs.screenshots``.

Starts the program with folders of its own, uses every tab in a headless Chromium, in light and in dark, and writes
``docs/screenshots/<tab>-<scheme>.webp``. All content is drawn by the program itself.
"""

from __future__ import annotations

import io
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.ui.running import CHROMIUM, REPOSITORY, App, chromium, open_tab, running_app
from ui.samples import SAMPLES, sample_clip, sample_file

TARGET = REPOSITORY / "docs" / "screenshots"
SIZE = {"width": 1360, "height": 900}
MOST_BYTES = 150_000
_PATIENCE = 240_000
_HIDE_FOLDERS = """(pairs) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (const [from, to] of pairs) if (node.data.includes(from)) node.data = node.data.replaceAll(from, to);
  for (const field of document.querySelectorAll('input, textarea'))
    for (const [from, to] of pairs) if (field.value.includes(from)) field.value = field.value.replaceAll(from, to);
}"""


def image(page: Any, material: Path) -> None:
    # Another one in the dark: the same again would be taken from the history.
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.click("#sample-drawing" if dark else "#sample-photograph")
    page.wait_for_selector("#facts .chips")
    page.click("#enhance")
    page.wait_for_selector("#result", state="visible")
    page.wait_for_selector("#cancel", state="hidden")


def video(page: Any, material: Path) -> None:
    page.set_input_files("#video-file input[type=file]", str(sample_clip(material)))
    page.wait_for_function("document.querySelector('#video-facts').innerText.includes('240')")
    page.click("#video-preview")
    page.wait_for_selector("#video-stage img.after[src]")


def batch(page: Any, material: Path) -> None:
    files = [str(sample_file(name, material)) for name in SAMPLES]
    page.set_input_files("#batch-files input[type=file]", files)
    page.wait_for_timeout(1500)
    page.click("#batch-start")
    page.wait_for_function(
        "(document.querySelector('#batch-table')?.innerText.match(/done|skipped/gi) || []).length >= 3"
    )
    page.wait_for_timeout(3000)


def presets(page: Any, material: Path) -> None:
    page.get_by_label("Portrait").first.check()


def system(page: Any, material: Path) -> None:
    page.wait_for_timeout(2500)


TABS = {
    "image": ("Image Enhancement", image),
    "video": ("Video", video),
    "batch": ("Batch", batch),
    "presets": ("Presets", presets),
    "system": ("System Info", system),
}


def shoot(page: Any, app: App, name: str, most_height: int) -> None:
    """Keep what the page shows, at most ``most_height`` pixels of it, without this machine's folders and kernel."""
    page.wait_for_timeout(1500)
    base = str(app.outputs.parent)
    hidden = [[base, "~/upscaler"], [str(REPOSITORY), "~/upscaler"], [str(Path.home()), "~"]]
    page.evaluate(_HIDE_FOLDERS, [*hidden, [platform.platform(), platform.system()]])
    page.mouse.move(2, 2)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(picture.height, most_height)))
    for quality in (86, 76, 64, 50):
        data = io.BytesIO()
        picture.save(data, "WEBP", quality=quality, method=6)
        if data.tell() <= MOST_BYTES:
            break
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / f"{name}.webp").write_bytes(data.getvalue())
    print(f"{name}.webp: {picture.width} x {picture.height}, {data.tell() / 1000:.0f} KB", flush=True)


def main(wanted: list[str]) -> int:
    """Make all, or only the named tabs."""
    if CHROMIUM is None:
        print("No Chromium is installed: install it, then run this again.", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder)) as app,
        chromium() as browser,
    ):
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport=SIZE, color_scheme=scheme, locale="en-GB")
            context.set_default_timeout(_PATIENCE)
            page = context.new_page()
            page.goto(app.address)
            page.wait_for_selector("#enhance")
            page.wait_for_timeout(1500)
            for name, (title, fill) in TABS.items():
                if wanted and name not in wanted:
                    continue
                open_tab(page, title)
                fill(page, Path(folder))
                shoot(page, app, f"{name}-{scheme}", 1400)
                if name == "image":
                    page.set_viewport_size({"width": 400, "height": 800})
                    shoot(page, app, f"{name}-narrow-{scheme}", 1900)
                    page.set_viewport_size(SIZE)
            context.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
