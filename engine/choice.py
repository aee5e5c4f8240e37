"""Which model and which enlargement suit a picture, among what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.registry import OWN_FILE_RANK, ModelSpec, content_of

if TYPE_CHECKING:
    from engine.model_manager import ModelManager
    from engine.model_store import ModelStatus

_SMALL, _LARGE = 1.6e6, 24e6


@dataclass(frozen=True)
class Needs:
    """What the picture asks for. ``content``: "anime" or "photo", and whether that is ``certain``; ``scale``: output
    side / input side."""

    content: str
    subject: str
    scale: float
    worn: bool
    certain: bool = True


def choose_scale(width: int, height: int) -> tuple[float, str]:
    """Enlargement for a ``width`` x ``height`` picture, and why."""
    pixels = width * height
    if pixels <= _SMALL:
        return 4.0, f"Small picture: x4 gives {width * 4}x{height * 4}."
    if pixels <= _LARGE:
        return 2.0, f"Middle-sized picture: x2 gives {width * 2}x{height * 2}; x4 would be more than most uses need."
    return 1.0, "Large enough already: cleaned and sharpened at its own size."


def choose_model(manager: ModelManager, needs: Needs) -> tuple[str, list[str]]:
    """The best installed model for the needs, with reasons; also what would be better if it were downloaded."""
    if needs.subject == "pixel art":
        return "nearest", ["Pixel art: enlarged pixel by pixel, since any network would smear its squares."]
    specs = manager.specs
    installed = manager.usable_upscalers()
    if not installed:
        return manager.default_model(needs.scale)[0], [manager.default_model(needs.scale)[1]]
    best = max(installed, key=lambda status: (_merit(status, specs.get(status.name), needs), status.name))
    reasons = [_reason(best, specs.get(best.name), needs)]
    if not needs.certain:
        reasons.append("Drawn or photographed is not certain here, so models that serve both come first.")
    score = _merit(best, specs.get(best.name), needs)
    known = {status.name for status in installed}
    missing = [status for status in manager.list() if status.name in specs and status.name not in known]
    missing = [status for status in missing if status.kind == "upscale" and specs[status.name].urls]
    missing = [status for status in missing if not manager.is_twin(status.name)]
    better = max(missing, key=lambda status: _merit(status, specs[status.name], needs), default=None)
    if better is not None and _merit(better, specs[better.name], needs) > score:
        size = f" ({better.size / 1e6:.0f} MB)" if better.size else ""
        reasons.append(
            f"{better.name}{size} would suit it better; `python main.py models download {better.name}` brings it."
        )
    return best.name, reasons


def _merit(status: ModelStatus, spec: ModelSpec | None, needs: Needs) -> float:
    """Higher suits better. Content counts more than general rank, rank more than the native scale."""
    content = content_of(status.name, spec)
    merit = float(spec.rank if spec is not None else OWN_FILE_RANK)
    if not needs.certain:
        # A model for drawings takes the skin off a photograph; one for both, or for photographs, spoils no drawing.
        merit += {"any": 60, "photo": 40, "anime": -30, "video": -30}[content]
    elif needs.content == "anime":
        merit += {"anime": 120, "video": 60, "any": 20, "photo": 0}[content]
    else:
        merit += {"photo": 40, "any": 40, "anime": -60, "video": -60}[content]
    if (needs.content != "anime" or not needs.certain) and needs.worn and spec is not None and spec.denoise_twin:
        merit += 45
    if needs.scale <= 2 and status.scale == 2:
        merit += 15
    elif needs.scale > 2 and status.scale == 2:
        merit -= 25
    if spec is None and status.parameters:
        # Among files of unknown merit the larger network is the better guess.
        merit += min(10.0, status.parameters / 2e6)
    return merit


def _reason(status: ModelStatus, spec: ModelSpec | None, needs: Needs) -> str:
    subject = needs.subject if needs.subject != "photograph" else "photograph"
    what = f"a worn {subject}" if needs.worn else f"this {subject}"
    purpose = f" {spec.purpose}" if spec is not None else ""
    return f"{status.name} is the best installed model for {what} at x{needs.scale:g}.{purpose}"
