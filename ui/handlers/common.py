"""What several tabs need: the model list, and the way between ``EnhanceSettings`` and the fields of the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from engine.model_manager import ModelManager
from engine.types import RESAMPLERS, STARTING, EnhanceSettings, JobControl, Progress
from ui.jobs import Step
from ui.strings import Words, choice
from utils.errors import InvalidSettingsError, JobCancelled
from utils.page_numbers import PDF_DPI

MODES = ("quick", "balanced", "auto", "faithful")
"""What the interface offers as quality; "auto" is the best for pictures."""
GOAL_KINDS = ("scale", "long_edge", "exact")
_GOAL_FIELDS = {"scale": ("scale",), "long_edge": ("long_edge",), "exact": ("width", "height")}
DEFAULTS: dict[str, Any] = {"goal": "scale", "scale": 4.0, "long_edge": 3840, "width": None, "height": None}
"""What the form shows where settings say nothing about the size."""


def model_choices(manager: ModelManager, *, installed_only: bool = False) -> list[tuple[str, str]]:
    """(label, name) for the model list: automatic, installed networks, resamplers, then what could be downloaded."""
    usable = [s for s in manager.list() if s.kind == "upscale" and s.problem is None and not manager.is_twin(s.name)]
    choices = [(choice("model_auto"), "auto")]
    choices += [(f"{status.name} (×{status.scale})", status.name) for status in usable if status.installed]
    choices += [(choice(f"model_{name}"), name) for name in RESAMPLERS]
    if not installed_only:
        # Packs of many variants are brought in the System tab; a list of them here would bury the rest.
        known = {spec.name for spec in manager.specs.values() if spec.urls or spec.comes_with_setup}
        missing = [status for status in usable if not status.installed and status.name in known]
        choices += [(f"↓ {status.name} (×{status.scale})", status.name) for status in missing]
    return choices


def installed_models(manager: ModelManager) -> list[str]:
    """What can be used now, resamplers included."""
    return [name for _, name in model_choices(manager, installed_only=True) if name != "auto"]


@dataclass(frozen=True)
class ModelNote:
    """What is to be known about the chosen model. ``download``: it could be brought."""

    text: str
    installed: bool
    download: bool
    denoise: bool


def model_note(
    manager: ModelManager, name: str, scale: float | None, words: Words, automatic: str | None = None
) -> ModelNote:
    """What the chosen model is for, and whether it is here. ``automatic``: what "auto" means for the open picture."""
    if name in RESAMPLERS:
        return ModelNote(words("model_plain"), True, False, False)
    chosen = (automatic or manager.default_model(scale)[0]) if name == "auto" else name
    if chosen in RESAMPLERS:
        return ModelNote(words("model_plain"), True, False, False)
    status = manager.status_of(chosen)
    if status is None:
        return ModelNote("", False, False, False)
    size = (
        ""
        if status.size is None
        else f"{status.size / 1e6:.0f} MB"
        if status.size > 3e6
        else f"{status.size / 1e6:.1f} MB"
    )
    parts = [
        words.said(status.purpose),
        f"{', '.join(filter(None, (chosen, words.said(status.architecture), size, words.said(status.licence))))}.",
    ]
    if not status.installed:
        parts.insert(0, words("model_missing", size=size) if size else words("model_missing_unknown"))
    known = manager.specs.get(chosen)
    return ModelNote(
        " ".join(parts),
        status.installed,
        not status.installed and known is not None and known.can_be_brought,
        status.installed and manager.has_denoise_control(chosen),
    )


def make_settings(values: Mapping[str, Any]) -> EnhanceSettings:
    """Settings from the form's fields; ``goal`` says which of the size fields count.

    Raises ``InvalidSettingsError`` with a sentence for the person.
    """
    chosen = dict(values)
    goal = chosen.pop("goal")
    sizes = {name: chosen.pop(name) or None for name in ("scale", "long_edge", "width", "height")}
    for name in _GOAL_FIELDS[goal]:
        chosen[name] = sizes[name] if name == "scale" else _pixels(sizes[name])
    chosen["tile"] = int(chosen.get("tile") or 0)
    chosen["quality"] = int(chosen["quality"])
    chosen["pages"] = chosen.get("pages") or ""
    chosen["pdf_dpi"] = chosen.get("pdf_dpi") or PDF_DPI
    return EnhanceSettings.create(**chosen)


def _pixels(number: Any) -> int | None:
    """A side from its field, which takes what is typed."""
    try:
        return None if number is None else int(number)
    except (ValueError, OverflowError) as error:
        raise InvalidSettingsError(f"A side is a whole number of pixels, not '{number}'.") from error


def typed_number(text: Any) -> Any:
    """What stands in a field for a number that may be empty; what is none is left for the engine to refuse."""
    if not isinstance(text, str):
        return text
    text = text.strip().replace(",", ".")
    try:
        return float(text) if text else None
    except ValueError:
        return text


def form_values(settings: EnhanceSettings, names: tuple[str, ...]) -> dict[str, Any]:
    """The form's fields for settings; the inverse of ``make_settings`` as far as the form has a field."""
    known = settings.model_dump()
    goal = next((goal for goal, fields in _GOAL_FIELDS.items() if any(known[field] for field in fields)), "scale")
    face = known["face_enhance"]
    mode = "auto" if known["mode"] == "best" else known["mode"]
    values = {
        **known,
        "mode": mode,
        "goal": goal,
        "face_enhance": face if isinstance(face, str) else "on" if face else "off",
    }
    for name in ("scale", "long_edge"):
        values[name] = known[name] or DEFAULTS[name]
    return {name: values[name] for name in names}


def time_words(words: Words, seconds: float) -> str:
    """``4.2 s``, ``3 min 05 s``, ``2 h 07 min`` or ``3 days 4 h``."""
    if seconds < 60:
        return words("seconds", seconds=seconds)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return words("minutes", minutes=minutes, seconds=rest)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return words("hours", hours=hours, minutes=minutes)
    return words("days", days=hours // 24, hours=hours % 24)


def rough_words(words: Words, seconds: float) -> str:
    """A time that is expected: no tenths where they would mean nothing."""
    return time_words(words, max(0.1, seconds)) if seconds < 10 else time_words(words, round(seconds)).replace(".0", "")


def progress_words(words: Words, progress: Progress) -> str:
    """``Enhancing: 3 of 12, about 4 s left``."""
    stage = words.table.get(f"stage_{progress.stage}", progress.stage)
    left = "" if progress.eta_seconds is None else f", {words('left', time=time_words(words, progress.eta_seconds))}"
    return words("progress", stage=stage, done=progress.done, total=progress.total) + left


def progress_html(words: Words, step: Step, stage: str = "") -> str:
    """A bar with its sentence, for a job's step."""
    if step.position:
        text, share = words("queue_waiting", position=step.position), 0.0
    elif step.progress is None or step.progress.stage == STARTING:
        text, share = stage or words("preparing"), 0.0
    else:
        text, share = progress_words(words, step.progress), step.progress.fraction
    percent = round(100 * min(1.0, max(0.0, share)))
    return (
        f'<div class="progress" role="progressbar" data-job="running" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}" aria-label="{escape(text)}"><i style="width:{percent}%"></i></div>'
        f"<p>{escape(text)}</p>"
    )


def trouble_html(words: Words, error: Exception, what: str = "failed") -> str:
    """Why something did not work, said once and plainly."""
    if isinstance(error, JobCancelled):
        return f'<p class="calm" data-job="stopped">{escape(words("stopped"))}</p>'
    return (
        f'<p class="trouble" data-job="failed"><strong>{escape(words(what))}</strong> {escape(words.said(error))}</p>'
    )


def download_progress(name: str, control: JobControl) -> Callable[[int, int | None], None]:
    """FairQueue a download's bytes into steps of megabytes."""

    def tell(done: int, total: int | None) -> None:
        share = done / total if total else 0.0
        control.report(Progress(name, round(done / 1e6), round((total or 0) / 1e6), share))

    return tell
