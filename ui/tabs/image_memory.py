"""What comes back in the Image tab at the next visit: settings changed by hand."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.handlers import common
from ui.tabs.image_events import Events
from ui.tabs.memory import FormMemory, read_object

FORGOTTEN = ("pages", "salvage")
"""Of one picture, not of a person."""


class MemoryEvents(Events):
    """Events of what the browser keeps."""

    def connect(self, blocks: gr.Blocks) -> Any:
        """Returns the event after which the form is as it was left."""
        p = self.parts
        quiet: dict[str, Any] = {"show_progress": "hidden"}
        memory = self.memory
        memory.save(p.kept.change(self.text, p.kept, p.memory, **quiet), p.memory)
        return blocks.load(self.remembered, p.memory, [p.kept, *p.form.components], js=memory.script, **quiet)

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
        memory = self.memory
        kept = memory.usable(read_object(text))
        return [kept, *memory.showing(kept)]
