"""The tab that was open comes back with the page, unless the page was opened for a picture or film."""

from __future__ import annotations

import json

import gradio as gr

_KEEP = """() => { setTimeout(() => {
  const tab = document.querySelector("#tabs [role=tab][aria-selected=true]");
  if (!tab || !tab.dataset.tabId) return;
  try { localStorage.setItem("upscaler-tab", tab.dataset.tabId); } catch { /* kept while the page is open */ }
}); }"""
_SHOW = """() => {
  let name = null;
  try {
    const opens = new URLSearchParams(window.location.search).has("open");
    name = opens ? null : localStorage.getItem("upscaler-tab");
  } catch { /* nothing is kept there */ }
  return %s.includes(name) ? { __type__: "update", selected: name } : { __type__: "update" };
}"""
"""In the browser alone: an answer of the server comes later, and would take a person off the tab they have clicked."""


def connect(blocks: gr.Blocks, tabs: gr.Tabs) -> None:
    """Let the browser keep which of the ``tabs`` is open. To be called once all of them are there."""
    names = [tab.id for tab in tabs.children if isinstance(tab, gr.Tab) and tab.visible]
    tabs.change(None, None, None, js=_KEEP)
    blocks.load(None, None, tabs, js=_SHOW % json.dumps(names))


__all__ = ["connect"]
