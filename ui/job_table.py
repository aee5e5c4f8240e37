"""A table of jobs whose rows have buttons; updated in place, so that nothing flickers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

_JS = """
const of = (button) => button && `${button.dataset.job} ${button.dataset.act}`;
const find = (name) => [...element.querySelectorAll('[data-act]')].find((one) => of(one) === name);
let pressed = null, focused = null;
element.addEventListener('pointerdown', (event) => { pressed = of(event.target.closest('[data-act]')); });
element.addEventListener('focusin', (event) => { focused = of(event.target.closest('[data-act]')); });
element.addEventListener('focusout', () => { focused = null; });
element.addEventListener('click', (event) => {
  const hit = event.target.closest('[data-act]');
  // A row may have moved up under the pointer: what is acted on is what was pressed.
  if (!hit || (event.detail && of(hit) !== pressed)) return;
  trigger('act', { job: Number(hit.dataset.job), act: hit.dataset.act });
});
// Rows are filled anew, not moved: the keyboard stays with its job.
watch('value', () => {
  const name = focused, now = document.activeElement;
  if (!name || !element.contains(now) || of(now) === name) return;
  const same = find(name);
  same ? same.focus() : now.blur();
});
"""


@dataclass(frozen=True)
class Action:
    """What a row's button asked for: ``act`` is cancel, up or front."""

    job: int
    act: str

    @classmethod
    def of(cls, event: Any) -> Action | None:
        """From the event of a page; None for one that no button sends."""
        data = getattr(event, "_data", None)
        if not isinstance(data, dict):
            return None
        job, act = data.get("job"), data.get("act")
        if not isinstance(job, int) or act not in ("cancel", "up", "front"):
            return None
        return cls(job, act)


def job_table(**more: Any) -> gr.HTML:
    """Shows HTML whose buttons carry ``data-job`` and ``data-act``. Event: ``act``, see ``Action.of``."""
    return gr.HTML("", js_on_load=_JS, **more)


__all__ = ["Action", "job_table"]
