"""What comes back in the Image tab at the next visit: settings changed by hand, and the tab that was open."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.handlers import common
from ui.tabs.image_events import Events
from ui.tabs.memory import FormMemory, read_object

FORGOTTEN = ("pages", "salvage")
"""Of one picture, not of a person."""
_READ = """() => {
  try {
    const opens = new URLSearchParams(window.location.search).has("open");
    const read = (name) => localStorage.getItem("upscaler-" + name);
    return JSON.stringify({ settings: read("settings"), tab: opens ? null : read("tab") });
  } catch { return ""; }
}"""
_SAVE_TAB = """() => { setTimeout(() => {
  const tab = document.querySelector("#tabs [role=tab][aria-selected=true]");
  if (!tab || !tab.dataset.tabId) return;
  try { localStorage.setItem("upscaler-tab", tab.dataset.tabId); } catch { /* kept while the page is open */ }
}); }"""


class MemoryEvents(Events):
    """Events of what the browser keeps."""

    def connect(self, blocks: gr.Blocks, tabs: Any) -> Any:
        """Returns the event after which the form is as it was left.

        Args:
            tabs: all tabs of the page; None where there are none to choose among.
        """
        p = self.parts
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        self.memory.save(p.kept.change(self.text, p.kept, p.memory, **quiet), p.memory)
        outputs = [p.kept, *p.form.components]
        if tabs is not None:
            tabs.change(None, None, None, js=_SAVE_TAB)
            outputs.append(tabs)
        self._tabs = tabs
        return blocks.load(self.remembered, p.memory, outputs, js=_READ, **quiet)

    @property
    def memory(self) -> FormMemory:
        """The form's."""
        manager = self.service.manager
        return FormMemory(
            "settings",
            self.parts.form,
            common.make_settings,
            forgotten=FORGOTTEN,
            lists=lambda: {"model": [name for _, name in common.model_choices(manager)]},
        )

    def text(self, kept: dict[str, Any]) -> str:
        """What the browser is to keep."""
        return self.memory.text(kept)

    def remembered(self, text: str | None) -> list[Any]:
        """The page was opened: what of the last visit can be used."""
        found, memory = read_object(text), self.memory
        kept = memory.usable(read_object(found.get("settings")))
        answer = [kept, *memory.showing(kept)]
        if self._tabs is None:
            return answer
        known = found.get("tab") in self._tab_names()
        return [*answer, gr.update(selected=found["tab"]) if known else gr.skip()]

    def _tab_names(self) -> list[Any]:
        return [tab.id for tab in self._tabs.children if getattr(tab, "visible", True)]
