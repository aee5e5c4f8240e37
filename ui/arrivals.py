"""Files that come from outside the page: named on the command line, or handed over by a second start of the program.

They wait in an ``Inbox`` under a key that cannot be guessed. A page that is told the key (in its address, or by the
window that it stands in) takes them: one picture into the Image tab, several or a folder into Batch, a film into Video.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ui.handlers import batch as batch_work
from ui.inbox import Inbox
from ui.strings import Words, words_for
from utils import image_io
from utils.names import as_text
from utils.video_files import SUFFIXES as FILM_SUFFIXES

_MOST_PICTURES = 2000
_NAMED = 3
RESTORED = "() => { window.restored = true; }"
"""The script of the event after which a page shows what was there before it was opened."""
_TELL = """const key = new URLSearchParams(window.location.search).get('open');
const open = (key) => {
  const patience = Date.now() + 60000;
  const tell = () => {
    if (window.restored || Date.now() > patience) trigger('open', { key });
    else setTimeout(tell, 50);  // what the page showed last must not come after the new picture
  };
  tell();
  return true;
};
window.openArrived = open;
if (key) {
  const left = new URL(window.location.href);
  left.searchParams.delete('open');
  window.history.replaceState(null, '', left);
  open(key);
}"""


@dataclass(frozen=True)
class Placed:
    """Where everything goes.

    Attributes:
        picture: into the Image tab.
        several, folder: into Batch: files, or one folder as it is.
        film: into Video.
        left: what is not opened -> the key of the sentence that says why.
    """

    picture: Path | None = None
    several: tuple[Path, ...] = ()
    folder: Path | None = None
    film: Path | None = None
    left: tuple[tuple[Path, str], ...] = ()

    @property
    def tab(self) -> str | None:
        """The tab to show; None where nothing can be opened."""
        if self.several or self.folder:
            return "batch"
        return "image" if self.picture else "video" if self.film else None


def place(paths: Sequence[Path], *, batch: bool = True, video: bool = True, folders: bool = True) -> Placed:
    """Where files and folders go. Looks at names and at whether they exist, opens nothing.

    Args:
        batch, video: whether those tabs are there.
        folders: whether Batch may name a folder of this machine; its pictures are taken one by one otherwise.
    """
    left: list[tuple[Path, str]] = []
    kinds: dict[str, list[Path]] = {"picture": [], "archive": [], "folder": [], "film": []}
    for path in paths:
        kind = _kind(path)
        if kind in kinds:
            kinds[kind].append(path)
        else:
            left.append((path, kind))
    several = [*kinds["picture"], *kinds["archive"]]
    folder = None
    if len(kinds["folder"]) == 1 and not several and folders and batch:
        folder = kinds["folder"][0]
    else:
        for one in kinds["folder"]:
            inside = _pictures_in(one)
            several += inside
            if not inside:
                left.append((one, "arrived_empty"))
    left += [(path, "arrived_too_many") for path in several[_MOST_PICTURES:]]
    several = several[:_MOST_PICTURES]
    picture = None
    if several and (not batch or (len(several) == 1 and several[0] in kinds["picture"])):
        first = next((path for path in several if path not in kinds["archive"]), None)
        picture, several = first, [path for path in several if path != first]
        left += [(path, "arrived_no_batch") for path in several]
        several = []
    films = kinds["film"] if video else []
    left += [
        (path, "arrived_one_film" if video else "arrived_no_video") for path in kinds["film"] if path not in films[:1]
    ]
    return Placed(picture, tuple(several), folder, films[0] if films else None, tuple(left))


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if path.is_dir():
        return "folder"
    if not path.is_file():
        return "arrived_gone"
    if suffix in image_io.READABLE_SUFFIXES:
        return "picture"
    if suffix in FILM_SUFFIXES:
        return "film"
    return "archive" if suffix == ".zip" else "arrived_unknown"


def _pictures_in(folder: Path) -> list[Path]:
    found = []
    for where, folders, names in os.walk(folder):
        folders.sort()
        found += [
            Path(where, name) for name in sorted(names) if Path(name).suffix.lower() in image_io.READABLE_SUFFIXES
        ]
        if len(found) > _MOST_PICTURES:
            break
    return found


def upload(path: Path, folder: str) -> str:
    """The file as if it had been uploaded: Gradio serves only what lies in its own folder, and removes it after a day.

    A link where that is possible, else a copy; the file itself stays as it is, wherever the link goes.
    """
    target = Path(folder) / secrets.token_hex(16) / path.name
    target.parent.mkdir(parents=True)
    try:
        os.link(path.resolve(), target)
    except OSError:
        shutil.copyfile(path, target)
    return str(target)


@dataclass(frozen=True)
class Targets:
    """The components that take what arrives. ``tabs``: the row of tabs."""

    tabs: Any
    picture: Any
    files: Any
    folder: Any
    folder_box: Any
    film: Any

    @property
    def all(self) -> list[Any]:
        """In the order in which ``Arrivals.open`` answers."""
        return [self.tabs, self.picture, self.files, self.folder, self.folder_box, self.film]


class Arrivals:
    """Connects the inbox with the page."""

    def __init__(self, inbox: Inbox, config: Any, targets: Targets) -> None:
        self._inbox, self._config, self._targets = inbox, config, targets

    def build(self) -> Any:
        """The component that learns of arrivals; returns the dependency, for what is to be done afterwards."""
        told = gr.HTML("", js_on_load=_TELL, elem_id="arrivals", visible="hidden", padding=False)
        return told.open(self.open, None, self._targets.all, show_progress="hidden")

    def open(self, request: gr.Request, event: gr.EventData) -> list[Any]:
        """A page was told a key: what waits under it goes into the tabs, and what cannot is named."""
        key = event._data.get("key") if isinstance(event._data, dict) else None
        paths = self._inbox.take(str(key))
        nothing = [gr.skip()] * len(self._targets.all)
        if not paths:
            return nothing
        config, words = self._config, words_for(request)
        placed = place(
            paths,
            batch=config.enable_batch,
            video=config.enable_video,
            folders=batch_work.may_name_folders(config) and batch_work.is_from_here(request),
        )
        for sentence in _left(placed.left, words):
            gr.Warning(sentence, duration=None, title=words("toast_note"))
        if placed.tab is None:
            return nothing
        cache = self._targets.picture.GRADIO_CACHE
        batch = bool(placed.several or placed.folder)
        return [
            gr.update(selected=placed.tab),
            upload(placed.picture, cache) if placed.picture else gr.skip(),
            [upload(path, cache) for path in placed.several] or None if batch else gr.skip(),
            str(placed.folder or "") if batch else gr.skip(),
            gr.update(open=True) if placed.folder else gr.skip(),
            upload(placed.film, cache) if placed.film else gr.skip(),
        ]


def _left(left: Sequence[tuple[Path, str]], words: Words) -> list[str]:
    """Sentences about what is not opened, one for each reason."""
    said = []
    for reason in dict.fromkeys(reason for _, reason in left):
        names = [as_text(path.name) for path, why in left if why == reason]
        listed = ", ".join(names[:_NAMED])
        if len(names) > _NAMED:
            listed = words("arrived_and_more", names=listed, count=len(names) - _NAMED)
        said.append(words(reason, names=listed))
    return said


__all__ = ["RESTORED", "Arrivals", "Placed", "Targets", "place", "upload"]
