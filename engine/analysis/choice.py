"""Which model and which enlargement suit a picture, among what is installed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.machine.estimates import estimate
from engine.models.registry import OWN_FILE_RANK, ModelSpec, content_of
from engine.types import Mode
from utils.installation import command

if TYPE_CHECKING:
    from engine.model_manager import ModelManager
    from engine.models.store import ModelStatus

_SMALL, _LARGE = 1.6e6, 24e6
PATIENCE_SECONDS = 60.0
"""What "balanced" waits for the best network, and from what on the interface offers a quicker one."""
_DRAWINGS = ("RealESRGAN_x4plus_anime_6B", "RealESRGAN_x4plus", "realesr-general-x4v3")
_PICTURES = ("RealESRGAN_x4plus", "RealESRGAN_x2plus", "realesr-general-x4v3")
_QUICK_PICTURES = ("realesr-general-x4v3", "quick-x4")
_QUICK_CLEANERS = ("realesr-general-x4v3", "quick-x4", "realesr-animevideov3")
"""The last is made for drawn films; it cleans photographs as well, and takes fine texture with the noise."""
_QUICK_DRAWINGS = ("realesr-animevideov3", "quick-x4")
_QUICK_TWICE = {False: ("quick-x2",), True: ("quick-anime-x2",)}
"""Up to twice the size, for a third of the time: by whether it is a drawing."""
_PRISTINE = {2: ("spanx2_ch48", "spanx4_ch48"), 4: ("spanx4_ch48",)}
_FAITHFUL = ("embedded-compact-x4", "spanx4_ch48")


@dataclass(frozen=True)
class Requirements:
    """What the picture asks for, and what the person.

    Attributes:
        content: "anime" or "photo", and whether that is ``certain``.
        subject: finer, for the reasons: photograph, drawing, line art; "picture" where that is not certain.
        scale: output side / input side.
        worn: visibly noisy or compressed.
        pristine: so little worn that a network which assumes a clean input is nearer to the truth.
        mode: see ``EnhanceSettings.mode``; "auto" is "best".
        size: (width, height) of the input in pixels; None where it is not known, then "balanced" is "best".
        seen: somebody looked at the picture; where not, there is nothing to be sure of.
    """

    content: str
    subject: str
    scale: float
    worn: bool
    certain: bool = True
    pristine: bool = False
    mode: Mode = "auto"
    size: tuple[int, int] | None = None
    seen: bool = True

    @property
    def drawn(self) -> bool:
        """Whether a network for drawings alone may be used."""
        return self.content == "anime" and self.certain


UNKNOWN = Requirements("photo", "picture", 4.0, worn=False, certain=False, seen=False)
"""A picture that nobody has looked at."""


@dataclass(frozen=True)
class Chosen:
    """A model, and why.

    Attributes:
        reasons: in sentences; ``notices`` and ``doubt`` are among them.
        notices: what the person should know besides.
        doubt: what is done since it is not certain whether the picture is drawn; empty where it is.
    """

    model: str
    reasons: tuple[str, ...]
    notices: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """``notices`` and ``doubt``: what goes with a result."""
        return (*self.notices, self.doubt) if self.doubt else self.notices


def choose_scale(width: int, height: int) -> tuple[float, str]:
    """Enlargement for a ``width`` x ``height`` picture, and why."""
    pixels = width * height
    if pixels <= _SMALL:
        return 4.0, f"Small picture: x4 gives {width * 4}x{height * 4}."
    if pixels <= _LARGE:
        return 2.0, f"Middle-sized picture: x2 gives {width * 2}x{height * 2}; x4 would be more than most uses need."
    return 1.0, "Large enough already: cleaned and sharpened at its own size."


def choose_model(manager: ModelManager, requirements: Requirements) -> Chosen:
    """The best installed model for the requirements; also what would be better if it were there."""
    if requirements.subject == "pixel art":
        return Chosen("nearest", ("Pixel art: enlarged pixel by pixel, since any network would smear its squares.",))
    usable = {status.name: status for status in manager.usable_upscalers()}
    if not usable:
        return Chosen("lanczos", (_nothing(),), (_nothing(),))
    wanted = _wanted(manager, requirements, usable)
    name = next((one for one in wanted if one in usable), None)
    if name is None:
        name = max(usable, key=lambda one: (_merit(usable[one], manager.specs.get(one), requirements), one))
    reason = _reason(usable[name], manager.specs.get(name), requirements)
    doubt = _doubt(manager, requirements, name, usable, known=name in wanted)
    notices = _missed(manager, wanted, name)
    return Chosen(name, (reason, *((doubt,) if doubt else ()), *notices), notices, doubt)


def _nothing() -> str:
    return (
        "No network is installed, so the picture is enlarged by Lanczos interpolation: larger, not sharper. For real "
        f"detail run `{command()} models download RealESRGAN_x4plus` (67 MB) or put a .pth, .safetensors or .param "
        "file into the weights folder."
    )


def _wanted(manager: ModelManager, requirements: Requirements, usable: dict[str, ModelStatus]) -> tuple[str, ...]:
    """Known models that serve the requirements, the best first."""
    best = _DRAWINGS if requirements.drawn else _PICTURES
    faithful = (*(_PRISTINE[2 if requirements.scale <= 2 else 4] if requirements.pristine else ()), *_FAITHFUL)
    # Who asked for speed gets it; where the best is only missing, the better of the quick ones takes its place.
    speed = requirements.mode in ("quick", "balanced")
    quick = (
        *(_QUICK_TWICE[requirements.drawn] if speed and requirements.scale <= 2 else ()),
        *(_QUICK_DRAWINGS if requirements.drawn else _QUICK_CLEANERS if requirements.worn else _QUICK_PICTURES),
        *faithful,
    )
    if requirements.mode == "faithful":
        return faithful
    if requirements.mode == "quick":
        return quick
    if requirements.mode == "balanced" and requirements.size is not None:
        first = next((name for name in best if name in usable), None)
        if (
            first is not None
            and estimate(manager, first, *requirements.size, requirements.scale).seconds > PATIENCE_SECONDS
        ):
            return (*quick, *best)
    return (*best, *quick)


def _doubt(
    manager: ModelManager, requirements: Requirements, chosen: str, usable: dict[str, ModelStatus], known: bool
) -> str:
    """What is done since a picture that was looked at may be a photograph or a drawing; empty where that is certain.

    Args:
        known: the model was taken from the list for such pictures, and so serves both.
    """
    if requirements.certain or not requirements.seen:
        return ""
    if not known and content_of(chosen, manager.specs.get(chosen)) in ("anime", "video"):
        return f"Photograph or drawing: not sure. {chosen} is chosen, since no model that serves both is installed."
    drawn = replace(requirements, content="anime", certain=True)
    other = next((name for name in _wanted(manager, drawn, usable) if name in usable), chosen)
    if other == chosen or content_of(other, manager.specs.get(other)) not in ("anime", "video"):
        return f"Photograph or drawing: not sure. {chosen} is chosen, since it serves both."
    return (
        f"Photograph or drawing: not sure. {chosen} is chosen, since it serves both; {other} would suit a drawing "
        "better and could spoil a photograph."
    )


def _missed(manager: ModelManager, wanted: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    """Why a better model than the chosen one is not used; nothing where the best is."""
    for name in wanted[: wanted.index(chosen)] if chosen in wanted else wanted:
        spec = manager.specs.get(name)
        status = manager.status_of(name) if spec is not None and spec.comes_with_setup else None
        if status is None:
            continue
        if status.problem:
            return (f"{chosen} is used instead of {name}. {status.problem}",)
        if not status.installed:
            return (f"{chosen} is used, since {name} is missing. `{command()} models download {name}` brings it.",)
    return ()


def _merit(status: ModelStatus, spec: ModelSpec | None, requirements: Requirements) -> float:
    """Orders the models that no list names: a person's own files, packs. Higher suits better."""
    content = content_of(status.name, spec)
    merit = float(spec.rank if spec is not None else OWN_FILE_RANK)
    if not requirements.certain:
        # A model for drawings takes the skin off a photograph; one for both, or for photographs, spoils no drawing.
        merit += {"any": 60, "photo": 40, "anime": -30, "video": -30}[content]
    elif requirements.content == "anime":
        merit += {"anime": 120, "video": 60, "any": 20, "photo": 0}[content]
    else:
        merit += {"photo": 40, "any": 40, "anime": -60, "video": -60}[content]
    # A native x2 network wastes least up to twice the size, and needs a second pass beyond.
    merit += (15 if status.scale == 2 else 0) if requirements.scale <= 2 else (-25 if status.scale == 2 else 0)
    if spec is None and status.parameters:
        # Among files of unknown merit the larger network is the better guess.
        merit += min(10.0, status.parameters / 2e6)
    return merit


def _reason(status: ModelStatus, spec: ModelSpec | None, requirements: Requirements) -> str:
    what = f"a worn {requirements.subject}" if requirements.worn else f"this {requirements.subject}"
    purpose = f" {spec.purpose}" if spec is not None else ""
    if requirements.mode == "quick":
        return f"{status.name} is the quickest installed model that suits {what} at x{requirements.scale:g}.{purpose}"
    if requirements.mode == "faithful":
        return f"{status.name} stays closest to {what} at x{requirements.scale:g}.{purpose}"
    return f"{status.name} is the best installed model for {what} at x{requirements.scale:g}.{purpose}"
