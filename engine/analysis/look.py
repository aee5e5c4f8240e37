"""A first look at a picture: what it shows and how worn it is, without looking for faces."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.analysis.choice import UNKNOWN, Requirements
from engine.analysis.content import ContentClassifier
from engine.analysis.damage import blockiness, jpeg_quality
from engine.analysis.graphics import flat_share, is_two_toned, pixel_art_factor, text_share
from engine.analysis.planes import Planes, planes_of
from utils.noise import estimate_sigma

if TYPE_CHECKING:
    from engine.types import Mode
    from utils.image_files import ImageLimits

ContentType = Literal["anime", "photo"]
CERTAIN = 0.8
"""A lower confidence is called doubt, and no model for one content type alone is chosen by it."""
DOUBTFUL = "photograph or drawing"
"""The subject of a picture in doubt."""
_PRISTINE_NOISE, _PRISTINE_QUALITY, _PRISTINE_BLOCKS = 5.5, 88, 0.12
"""Where the embedded network, trained on worn pictures, overtakes SPAN, trained on clean ones. Measured on Set5 and
Set14 (x4, PSNR of luminance): JPEG 90 +0.2 dB for SPAN, 85 level, 75 -0.3; noise of sigma 3 +0.6, 5 +0.2, 8 -0.5."""
_ENOUGH_PIXELS = 250_000
"""In small pictures fine texture is taken for noise."""


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes:
        content: "anime" for anything drawn, painted or rendered, else "photo".
        subject: finer: photograph, drawing, line art, pixel art, screenshot or text; "photograph or drawing" where
            neither of these two is certain, though ``content`` says which is likelier.
        confidence: of ``content``, 0..1.
        noise_sigma: in levels of 255.
        blockiness: 0 = no visible 8x8 blocks.
        jpeg_quality: 1..100 from the file, None where it has none.
        pixels: of the picture.
    """

    content: ContentType
    subject: str
    confidence: float
    noise_sigma: float
    blockiness: float
    jpeg_quality: int | None
    pixels: int

    @property
    def certain(self) -> bool:
        """Whether a model for one content type alone may be chosen."""
        return self.confidence >= CERTAIN

    @property
    def worn(self) -> bool:
        """Visibly noisy or compressed: a model that cleans is better than one that only sharpens."""
        compressed = (self.jpeg_quality is not None and self.jpeg_quality < 60) or self.blockiness > 0.5
        return self.noise_sigma > 6 or compressed

    @property
    def pristine(self) -> bool:
        """So clean that SPAN, trained on clean pictures, is nearer to the truth than the embedded network."""
        finely_stored = self.jpeg_quality is None or self.jpeg_quality >= _PRISTINE_QUALITY
        noise = self.noise_sigma * min(1.0, self.pixels / _ENOUGH_PIXELS) ** 0.25
        return noise < _PRISTINE_NOISE and self.blockiness < _PRISTINE_BLOCKS and finely_stored

    def requirements(self, scale: float, mode: Mode, size: tuple[int, int]) -> Requirements:
        """What a model has to serve for an enlargement by ``scale`` of a picture of ``size`` (width, height)."""
        subject = self.subject if self.certain else UNKNOWN.subject
        return Requirements(
            self.content, subject, scale, self.worn, self.certain, pristine=self.pristine, mode=mode, size=size
        )


class PictureLooker:
    """Looks at pictures; holds the content classifier. Thread-safe."""

    def __init__(self) -> None:
        self._classifier: ContentClassifier | None = None
        self._lock = threading.Lock()

    def look(self, image: object, limits: ImageLimits | None = None) -> Look:
        """A path, a ``Planes``, or what ``planes_of`` takes. Raises ``InvalidImageError`` for what is not a picture."""
        view = planes_of(Path(image) if isinstance(image, str) else image, limits)
        content, drawn = self.content(view)
        subject = _subject(view, content)
        # Rendered text and line art are drawn whatever their texture says.
        if subject != "photograph":
            content = "anime"
        confidence = 1.0 if subject in ("pixel art", "screenshot or text") else max(drawn, 1 - drawn)
        if confidence < CERTAIN and subject in ("photograph", "drawing"):
            subject = DOUBTFUL
        return Look(
            content,
            subject,
            round(confidence, 3),
            round(estimate_sigma(view.noise_plane), 2),
            round(blockiness(view.gray), 3),
            jpeg_quality(view.jpeg_tables),
            view.size[0] * view.size[1],
        )

    def content(self, view: Planes) -> tuple[ContentType, float]:
        """The type, and the probability that the picture is drawn."""
        with self._lock:
            if self._classifier is None:
                self._classifier = ContentClassifier()
            classifier = self._classifier
        drawn = classifier.probability_drawn(view.small)
        return ("anime" if drawn >= 0.5 else "photo"), drawn


def _subject(view: Planes, content: ContentType) -> str:
    flat = flat_share(view.rgb)
    if flat > 0.5 and pixel_art_factor(view.rgb) > 1:
        return "pixel art"
    if flat > 0.35 and text_share(view.gray) >= 0.3:
        return "screenshot or text"
    if view.is_gray and is_two_toned(view.small[..., 1]) and content == "anime":
        return "line art"
    return "photograph" if content == "photo" else "drawing"
