"""What a person chose in a form comes back at the next visit: the browser keeps what is not as it was at first.

It lies in the browser (``localStorage``) and is looked at when it is read: what is unknown by now falls back. A private
window that keeps nothing begins as ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import gradio as gr

from ui.components import SettingsForm
from ui.handlers import automatic as auto
from utils.errors import EngineError

_MOST_CHARACTERS = 20_000
_READ = """() => { try { return localStorage.getItem("upscaler-%s") || ""; } catch { return ""; } }"""
_SAVE = """(text) => {
  try { localStorage.setItem("upscaler-%s", text); } catch { /* kept while the page is open */ }
}"""


class FormMemory:
    """One form's.

    Args:
        key: the name that the browser keeps it under.
        takes: raises ``EngineError`` for values of all fields that the engine does not take.
        forgotten: fields of one picture or film, and those that are to be chosen anew each time.
        lists: gives name -> values, for fields that know other values by now than when the page was made.
    """

    def __init__(
        self,
        key: str,
        form: SettingsForm,
        takes: Callable[[dict[str, Any]], object] = lambda values: None,
        *,
        forgotten: Collection[str] = (),
        lists: Callable[[], Mapping[str, Sequence[Any]]] = dict,
    ) -> None:
        self._key, self._form, self._takes, self._lists = key, form, takes, lists
        self.names = tuple(name for name in form.names if name not in forgotten)

    @property
    def _components(self) -> list[Any]:
        return [self._form.component(name) for name in self.names]

    def connect(self, blocks: gr.Blocks, changes: Sequence[Callable[..., Any]] = ()) -> Any:
        """Keep every change of the form, and bring back what was kept as the page is opened.

        Args:
            changes: ``then`` of further events after which the form may be another.

        Returns the event after which the form is as it was left.
        """
        store = gr.Textbox(visible=False)
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        parts, late = self._components, {**quiet, "trigger_mode": "always_last"}
        self.save(gr.on([part.change for part in parts], self.changed, parts, store, **late), store)
        for after in changes:
            self.save(after(self.changed, parts, store, **quiet), store)
        return blocks.load(self.restored, store, list(self._form.components), js=self.script, **quiet)

    @property
    def script(self) -> str:
        """What reads the kept text in the browser."""
        return _READ % self._key

    def save(self, after: Any, store: Any) -> None:
        """Let the browser keep the text that ``store`` holds after an event."""
        after.then(None, store, None, js=_SAVE % self._key)

    # -- what is kept ------------------------------------------------------------------------------------------------

    def changed(self, *given: Any) -> str:
        """What the browser is to keep of the form's values."""
        first = self._form.defaults
        values = zip(self.names, given, strict=True)
        return self.text({name: value for name, value in values if not auto.same(value, first[name])})

    def text(self, kept: Mapping[str, Any]) -> str:
        """The same of what was chosen."""
        return json.dumps({name: value for name, value in kept.items() if name in self.names})

    def restored(self, text: str | None) -> list[Any]:
        """What the form's fields show of the last visit."""
        return self.showing(self.usable(read_object(text)))

    def showing(self, kept: Mapping[str, Any]) -> list[Any]:
        """Updates of the form's fields, in its order."""
        form = self._form
        shown = zip(form.names, form.showing({**form.defaults, **kept}), strict=True)
        return [update if name in kept else gr.skip() for name, update in shown]

    def usable(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The settings among what was found, each of which the form and the engine take."""
        form = self._form
        allowed = {
            name: [value for _, value in part.choices]
            for name, part in zip(form.names, form.components, strict=True)
            if isinstance(part, gr.Radio | gr.Dropdown) and not getattr(part, "allow_custom_value", False)
        }
        kept = {
            name: value
            for name, value in auto.known_values(found, form.defaults, {**allowed, **self._lists()}).items()
            if name in self.names
        }
        kept = {name: value for name, value in kept.items() if self._are_taken({name: value})}
        return kept if self._are_taken(kept) else {}

    def _are_taken(self, kept: Mapping[str, Any]) -> bool:
        try:
            self._takes({**self._form.defaults, **kept})
        except EngineError:
            return False
        return True


def read_object(text: Any) -> dict[str, Any]:
    """What a browser kept as JSON; nothing where it is no object."""
    if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


__all__ = ["FormMemory", "read_object"]
