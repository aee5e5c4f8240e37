"""Presets: settings under a name, applied to the Image tab, kept, changed, and handed on as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.settings_manager import SettingsManager
from ui.components import SettingsForm, original_file
from ui.downloads import MadeDownload
from ui.handlers import presets as handlers
from ui.handlers.batch_view import trouble_html
from ui.handlers.common import make_settings
from ui.strings import Words, t, words_for
from ui.visitors import Visitors
from utils.errors import EngineError


@dataclass(frozen=True)
class _Parts:
    """The tab's components."""

    chosen: Any
    preview: Any
    told: Any
    apply: Any
    export: MadeDownload
    new_name: Any
    rename: Any
    duplicate: Any
    delete: Any
    ask: Any
    question: Any
    yes: Any
    keep: Any
    name: Any
    hint: Any
    description: Any
    replace: Any
    save: Any
    upload: Any
    export_all: MadeDownload
    import_replace: Any

    @property
    def outputs(self) -> list[Any]:
        """What changes after something was done to a preset."""
        return [self.chosen, self.preview, self.told, self.ask, self.question, self.rename, self.delete]


def build(config: Any, manager: Any, visitors: Visitors, form: SettingsForm, blocks: gr.Blocks, tab: gr.Tab) -> None:
    """The tab. ``form``: the Image tab's, which presets fill; ``blocks``: the whole page; ``tab``: this one."""
    presets = SettingsManager.from_config(config)
    first = presets.presets()[0].name
    gr.Markdown(t("presets_intro"), elem_classes="quiet")
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            names = [preset.name for preset in presets.presets()]
            chosen = gr.Radio(names, value=first, label=t("presets_list"), elem_id="presets-list")
        with gr.Column(scale=3, min_width=300):
            parts = _right_side(chosen)
    _connect(PresetEvents(manager, visitors, form, presets), parts, form, blocks, tab)


def _right_side(chosen: Any) -> _Parts:
    told = gr.HTML("", elem_id="presets-told", elem_classes="slot")
    preview = gr.HTML("", elem_id="presets-preview", elem_classes="slot")
    with gr.Row(elem_classes="buttons"):
        apply = gr.Button(t("presets_apply"), variant="primary", elem_id="presets-apply")
        export = MadeDownload(t("presets_export_one"), "presets-export")
    with gr.Accordion(t("presets_change"), open=False):
        new_name = gr.Textbox("", label=t("presets_new_name"), max_length=64, elem_id="presets-new-name")
        with gr.Row(elem_classes="buttons"):
            rename = gr.Button(t("presets_rename"), size="sm", elem_id="presets-rename")
            duplicate = gr.Button(t("presets_duplicate"), size="sm", elem_id="presets-duplicate")
            delete = gr.Button(t("presets_delete"), size="sm", variant="stop", elem_id="presets-delete")
        with gr.Group(visible=False) as ask:
            question = gr.HTML("", padding=True, elem_id="presets-question")
            with gr.Row():
                yes = gr.Button(t("presets_yes_delete"), variant="stop", size="sm", elem_id="presets-yes")
                keep = gr.Button(t("presets_keep"), size="sm", elem_id="presets-keep")
    with gr.Accordion(t("presets_save_title"), open=True):
        name = gr.Textbox("", label=t("presets_save_name"), max_length=64, elem_id="presets-name")
        hint = gr.HTML("", elem_id="presets-hint", elem_classes="slot")
        description = gr.Textbox("", label=t("presets_save_description"), max_length=300)
        replace = gr.Checkbox(False, label=t("presets_replace"), elem_id="presets-replace")
        save = gr.Button(t("presets_save"), elem_id="presets-save")
    with gr.Accordion(t("presets_files"), open=False):
        import_replace = gr.Checkbox(False, label=t("presets_replace"))
        with gr.Row(elem_classes="buttons"):
            upload = original_file(
                gr.UploadButton(t("presets_import"), file_types=[".json"], size="sm", elem_id="presets-import")
            )
            export_all = MadeDownload(t("presets_export_all"), "presets-export-all", size="sm")
    return _Parts(
        chosen=chosen,
        preview=preview,
        told=told,
        apply=apply,
        export=export,
        new_name=new_name,
        rename=rename,
        duplicate=duplicate,
        delete=delete,
        ask=ask,
        question=question,
        yes=yes,
        keep=keep,
        name=name,
        hint=hint,
        description=description,
        replace=replace,
        save=save,
        upload=upload,
        export_all=export_all,
        import_replace=import_replace,
    )


class PresetEvents:
    """What happens at each event."""

    def __init__(self, manager: Any, visitors: Visitors, form: SettingsForm, presets: SettingsManager) -> None:
        self._manager, self._visitors, self._form, self._presets = manager, visitors, form, presets

    def show(self, request: gr.Request, chosen: str | None, sentence: str = "") -> list[Any]:
        """List and preview as they are now; ``chosen`` falls back to the first where it is gone."""
        words = words_for(request)
        choices = handlers.choices(self._presets, words)
        if chosen not in [name for _, name in choices]:
            chosen = choices[0][1]
        preset = self._presets.get(chosen)
        own = gr.update(interactive=not preset.builtin)
        preview = handlers.preview_html(preset, handlers.installed_names(self._manager), words)
        return [gr.update(choices=choices, value=chosen), preview, sentence, gr.update(visible=False), "", own, own]

    def refresh(self, request: gr.Request, chosen: str | None) -> list[Any]:
        """As ``show``; what a person chose or was told while this was asked stays, unless the preset is gone."""
        answer = self.show(request, chosen)
        if answer[0]["value"] == chosen:
            answer[0] = gr.update(choices=answer[0]["choices"])
            answer[2:5] = [gr.skip()] * 3
        return answer

    def pick(self, request: gr.Request, chosen: str) -> list[Any]:
        """As ``show``, without the list: it must not change while a person chooses in it."""
        return self.show(request, chosen)[1:]

    def _after(self, request: gr.Request, chosen: str, action: Callable[[Words], tuple[str, str]]) -> list[Any]:
        """The tab after ``action``, which returns the preset to show and a sentence; or why it was not done."""
        try:
            name, sentence = action(words_for(request))
        except EngineError as error:
            return self.show(request, chosen, trouble_html(error, words_for(request)))
        return self.show(request, name, _said(sentence))

    def apply(self, request: gr.Request, chosen: str) -> list[Any]:
        words = words_for(request)
        try:
            preset = self._presets.get(chosen)
            updates = self._form.updates(handlers.settings_of(preset, self._manager))
        except EngineError as error:
            return [trouble_html(error, words), *[gr.skip()] * len(self._form.components)]
        left_out = [handlers.field_words(name, words) for name in handlers.not_in_form(preset, self._form.names)]
        key = "presets_applied_without" if left_out else "presets_applied"
        told = words(key, name=preset.name, fields=", ".join(left_out)) if left_out else words(key, name=preset.name)
        return [_said(told), *updates]

    def save(
        self, request: gr.Request, chosen: str, name: str, description: str, replace: bool, *given: Any
    ) -> list[Any]:
        def action(words: Words) -> tuple[str, str]:
            settings = make_settings(self._form.values(given))
            made = self._presets.save_preset(name or "", settings, description or "", overwrite=replace)
            return made.name, words("presets_saved", name=made.name)

        return self._after(request, chosen, action)

    def rename(self, request: gr.Request, chosen: str, new: str) -> list[Any]:
        def action(words: Words) -> tuple[str, str]:
            made = self._presets.rename(chosen, new or "")
            return made.name, words("presets_renamed", old=chosen, name=made.name)

        return self._after(request, chosen, action)

    def duplicate(self, request: gr.Request, chosen: str, new: str) -> list[Any]:
        def action(words: Words) -> tuple[str, str]:
            made = self._presets.duplicate(chosen, new or "")
            return made.name, words("presets_duplicated", old=chosen, name=made.name)

        return self._after(request, chosen, action)

    def ask(self, request: gr.Request, chosen: str) -> list[Any]:
        return [gr.update(visible=True), _said(words_for(request)("presets_ask", name=chosen))]

    def delete(self, request: gr.Request, chosen: str) -> list[Any]:
        def action(words: Words) -> tuple[str, str]:
            self._presets.delete(chosen)
            return "", words("presets_deleted", name=chosen)

        return self._after(request, chosen, action)

    def take_file(self, request: gr.Request, chosen: str, path: str, replace: bool) -> list[Any]:
        def action(words: Words) -> tuple[str, str]:
            made = self._presets.import_presets(path, overwrite=replace)
            names = ", ".join(preset.name for preset in made)
            return (made[0].name if made else chosen), words("presets_imported", names=names or "-")

        return self._after(request, chosen, action)

    def export(self, request: gr.Request, *chosen: str) -> tuple[str | None, Any]:
        """One preset, or all of one's own."""
        words = words_for(request)
        try:
            path = handlers.export(self._presets, list(chosen), self._visitors.of(request).folder)
        except EngineError as error:
            return None, trouble_html(error, words)
        return str(path), _said(words("presets_exported", name=path.name))

    def hint(self, request: gr.Request, name: str) -> str:
        text = handlers.name_hint(name or "", self._presets, words_for(request))
        return f'<p class="hint" role="status">{_escaped(text)}</p>' if text else ""


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _said(sentence: str) -> str:
    return f'<div class="note" role="status"><p>{_escaped(sentence)}</p></div>' if sentence else ""


def _connect(handlers: PresetEvents, parts: _Parts, form: SettingsForm, blocks: gr.Blocks, tab: gr.Tab) -> None:
    outputs = parts.outputs
    # The last one asked is the last drawn.
    in_turn: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_limit": 1,
        "concurrency_id": "presets shown",
    }
    blocks.load(handlers.refresh, parts.chosen, outputs, **in_turn)
    tab.select(handlers.refresh, parts.chosen, outputs, **in_turn)
    parts.chosen.input(handlers.pick, parts.chosen, outputs[1:], **in_turn)
    parts.apply.click(handlers.apply, parts.chosen, [parts.told, *form.components], **in_turn)
    saved = [parts.chosen, parts.name, parts.description, parts.replace, *form.components]
    parts.save.click(handlers.save, saved, outputs, **in_turn)
    parts.name.change(handlers.hint, parts.name, parts.hint, trigger_mode="always_last", **in_turn)
    parts.rename.click(handlers.rename, [parts.chosen, parts.new_name], outputs, **in_turn)
    parts.duplicate.click(handlers.duplicate, [parts.chosen, parts.new_name], outputs, **in_turn)
    parts.delete.click(handlers.ask, parts.chosen, [parts.ask, parts.question], **in_turn)
    parts.keep.click(handlers.show, parts.chosen, outputs, **in_turn)
    parts.yes.click(handlers.delete, parts.chosen, outputs, **in_turn)
    parts.upload.upload(handlers.take_file, [parts.chosen, parts.upload, parts.import_replace], outputs, **in_turn)
    parts.export.connect(handlers.export, [parts.chosen], parts.told)
    parts.export_all.connect(handlers.export, None, parts.told)
