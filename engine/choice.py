"""Which model and which enlargement suit a picture, among what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.estimates import estimate
from engine.registry import OWN_FILE_RANK, ModelSpec, content_of
from engine.types import Mode

if TYPE_CHECKING:
    from engine.model_manager import ModelManager
    from engine.model_store import ModelStatus

_SMALL, _LARGE = 1.6e6, 24e6
PATIENCE_SECONDS = 60.0
"""What "balanced" waits for the best network, and from what on the interface offers a quicker one."""
_DRAWINGS = ("RealESRGAN_x4plus_anime_6B", "RealESRGAN_x4plus", "realesr-general-x4v3")
_PICTURES = ("RealESRGAN_x4plus", "RealESRGAN_x2plus", "realesr-general-x4v3")
_QUICK_PICTURES = ("realesr-general-x4v3",)
_QUICK_CLEANERS = ("realesr-general-x4v3", "realesr-animevideov3")
"""The second is made for drawn films; it cleans photographs as well, and takes fine texture with the noise."""
_QUICK_DRAWINGS = ("realesr-animevideov3",)
_PRISTINE = {2: ("spanx2_ch48", "spanx4_ch48"), 4: ("spanx4_ch48",)}
_FAITHFUL = ("embedded-compact-x4", "spanx4_ch48")


@dataclass(frozen=True)
class Needs:
    """What the picture asks for, and what the person.

    Attributes:
        content: "anime" or "photo", and whether that is ``certain``.
        subject: finer, for the reasons: photograph, drawing, line art ...
        scale: output side / input side.
        worn: visibly noisy or compressed.
        pristine: so little worn that a network which assumes a clean input is nearer to the truth.
        mode: see ``EnhanceSettings.mode``; "auto" is "best".
        size: (width, height) of the input in pixels; None where it is not known, then "balanced" is "best".
    """

    content: str
    subject: str
    scale: float
    worn: bool
    certain: bool = True
    pristine: bool = False
    mode: Mode = "auto"
    size: tuple[int, int] | None = None

    @property
    def drawn(self) -> bool:
        """Whether a network for drawings alone may be used."""
        return self.content == "anime" and self.certain


UNKNOWN = Needs("photo", "picture", 4.0, worn=False, certain=False)
"""A picture that nobody has looked at."""


@dataclass(frozen=True)
class Chosen:
    """The model, why in sentences, and what the person should know besides (``notices``)."""

    model: str
    reasons: tuple[str, ...]
    notices: tuple[str, ...] = ()


def choose_scale(width: int, height: int) -> tuple[float, str]:
    """Enlargement for a ``width`` x ``height`` picture, and why."""
    pixels = width * height
    if pixels <= _SMALL:
        return 4.0, f"Small picture: x4 gives {width * 4}x{height * 4}."
    if pixels <= _LARGE:
        return 2.0, f"Middle-sized picture: x2 gives {width * 2}x{height * 2}; x4 would be more than most uses need."
    return 1.0, "Large enough already: cleaned and sharpened at its own size."


def choose_model(manager: ModelManager, needs: Needs) -> Chosen:
    """The best installed model for the needs; also what would be better if it were there."""
    if needs.subject == "pixel art":
        return Chosen("nearest", ("Pixel art: enlarged pixel by pixel, since any network would smear its squares.",))
    usable = {status.name: status for status in manager.usable_upscalers()}
    if not usable:
        return Chosen("lanczos", (_NOTHING,), (_NOTHING,))
    wanted = _wanted(manager, needs, usable)
    name = next((one for one in wanted if one in usable), None)
    if name is None:
        name = max(usable, key=lambda one: (_merit(usable[one], manager.specs.get(one), needs), one))
    reasons = [_reason(usable[name], manager.specs.get(name), needs)]
    if needs.subject != UNKNOWN.subject and not needs.certain:
        reasons.append("Drawn or photographed is not certain here, so models that serve both come first.")
    notices = _missed(manager, wanted, name)
    return Chosen(name, (*reasons, *notices), notices)


_NOTHING = (
    "No network is installed, so the picture is enlarged by Lanczos interpolation: larger, not sharper. "
    "For real detail run `python main.py models download RealESRGAN_x4plus` "
    "(67 MB) or put a .pth, .safetensors or .param file into the weights folder."
)


def _wanted(manager: ModelManager, needs: Needs, usable: dict[str, ModelStatus]) -> tuple[str, ...]:
    """Known models that serve the needs, the best first."""
    best = _DRAWINGS if needs.drawn else _PICTURES
    faithful = (*(_PRISTINE[2 if needs.scale <= 2 else 4] if needs.pristine else ()), *_FAITHFUL)
    quick = (*(_QUICK_DRAWINGS if needs.drawn else _QUICK_CLEANERS if needs.worn else _QUICK_PICTURES), *faithful)
    if needs.mode == "faithful":
        return faithful
    if needs.mode == "quick":
        return quick
    if needs.mode == "balanced" and needs.size is not None:
        first = next((name for name in best if name in usable), None)
        if first is not None and estimate(manager, first, *needs.size, needs.scale).seconds > PATIENCE_SECONDS:
            return (*quick, *best)
    return (*best, *quick)


def _missed(manager: ModelManager, wanted: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    """Why a better model than the chosen one is not used; nothing where the best is."""
    statuses = {status.name: status for status in manager.list()}
    for name in wanted[: wanted.index(chosen)] if chosen in wanted else wanted:
        status, spec = statuses.get(name), manager.specs.get(name)
        if status is None or spec is None or not spec.comes_with_setup:
            continue
        if status.problem:
            return (f"{chosen} is used instead of {name}. {status.problem}",)
        if not status.installed:
            return (
                f"{chosen} is used, since {name} is missing. `pip install -r requirements.txt` brings it with the "
                f"set-up, `python main.py models download {name}` by itself.",
            )
    return ()


def _merit(status: ModelStatus, spec: ModelSpec | None, needs: Needs) -> float:
    """Orders the models that no list names: a person's own files, packs. Higher suits better."""
    content = content_of(status.name, spec)
    merit = float(spec.rank if spec is not None else OWN_FILE_RANK)
    if not needs.certain:
        # A model for drawings takes the skin off a photograph; one for both, or for photographs, spoils no drawing.
        merit += {"any": 60, "photo": 40, "anime": -30, "video": -30}[content]
    elif needs.content == "anime":
        merit += {"anime": 120, "video": 60, "any": 20, "photo": 0}[content]
    else:
        merit += {"photo": 40, "any": 40, "anime": -60, "video": -60}[content]
    # A native x2 network wastes least up to twice the size, and needs a second pass beyond.
    merit += (15 if status.scale == 2 else 0) if needs.scale <= 2 else (-25 if status.scale == 2 else 0)
    if spec is None and status.parameters:
        # Among files of unknown merit the larger network is the better guess.
        merit += min(10.0, status.parameters / 2e6)
    return merit


def _reason(status: ModelStatus, spec: ModelSpec | None, needs: Needs) -> str:
    what = f"a worn {needs.subject}" if needs.worn else f"this {needs.subject}"
    purpose = f" {spec.purpose}" if spec is not None else ""
    if needs.mode == "quick":
        return f"{status.name} is the quickest installed model that suits {what} at x{needs.scale:g}.{purpose}"
    if needs.mode == "faithful":
        return f"{status.name} stays closest to {what} at x{needs.scale:g}.{purpose}"
    return f"{status.name} is the best installed model for {what} at x{needs.scale:g}.{purpose}"
