"""The engine's judgement: looks at a picture, says what it found, and chooses the settings an expert would.

The pieces that look are in ``engine/analysis``; this module turns their numbers into a recommendation with reasons.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.choice import choose_model, choose_scale
from engine.analysis.damage import blur_level
from engine.analysis.look import ContentType, Look, PictureLooker
from engine.analysis.planes import Planes, planes_of
from engine.machine.estimates import Estimate, estimate, optimal_tile
from engine.types import Mode
from utils.installation import command
from utils.json_types import JsonObject
from utils.noise import estimate_sigma

if TYPE_CHECKING:
    from PIL import Image

    from engine.faces.detector import FaceDetector
    from engine.faces.face import Face
    from engine.model_manager import ModelManager
    from utils.image_files import ImageLimits
    from utils.picture import Picture

    AnyImage = str | Path | np.ndarray | Image.Image | Picture

FULL_NOISE = 50.0
"""Sigma, in levels of 255, that counts as noise level 1."""
SMALLEST_FACE = 24
LARGEST_FACE = 512
"""Heights in pixels between which restoring a face matters: smaller ones carry no features, larger ones are sharp."""


@dataclass(frozen=True)
class Analysis:
    """What was found in a picture.

    Attributes:
        content_type: "anime" for anything drawn, painted or rendered, else "photo"; the likelier of both where it is
            not ``certain``.
        certain: whether ``content_type`` is sure enough to choose a model for it alone.
        subject: finer: photograph, drawing, line art, pixel art, screenshot or text; "photograph or drawing" where
            neither of these two is ``certain``.
        faces: number of human faces; always 0 in drawings.
        face_heights: in pixels, tallest first.
        noise_level: 0..1; ``noise_sigma``: the same in levels of 255.
        blur: 0 (sharp to the pixel) .. 1.
        blockiness: 0 = no visible 8x8 blocks; ``jpeg_quality``: 1..100 from the file, None where it has none.
        optimal_tile: side in pixels, 0 = the whole picture at once.
        confidence: 0..1 for each judgement.
    """

    content_type: ContentType
    certain: bool
    subject: str
    faces: int
    face_heights: tuple[int, ...]
    noise_level: float
    noise_sigma: float
    blur: float
    blockiness: float
    jpeg_quality: int | None
    gray: bool
    alpha: bool
    resolution: tuple[int, int]
    optimal_tile: int
    confidence: dict[str, float]

    @property
    def look(self) -> Look:
        """The first look that the rest is built on: it says whether the picture is worn, and what that asks for."""
        width, height = self.resolution
        return Look(
            self.content_type,
            self.subject,
            self.confidence["content_type"],
            self.noise_sigma,
            self.blockiness,
            self.jpeg_quality,
            width * height,
        )

    def to_json(self) -> JsonObject:
        """The fields as JSON values."""
        return {**asdict(self), "resolution": list(self.resolution), "face_heights": list(self.face_heights)}


@dataclass(frozen=True)
class Recommendation:
    """Settings for ``enhance_image_direct`` (``**settings``), one sentence a reason, and the findings behind them."""

    settings: JsonObject
    reasoning: tuple[str, ...]
    analysis: Analysis
    expected: Estimate
    doubt: str = ""
    """What is done since it is not certain whether the picture is drawn, a sentence of ``reasoning``; else empty."""

    def to_json(self) -> JsonObject:
        """Plain values: ``settings``, ``reasoning``, ``doubt``, ``analysis`` and the expected time and memory."""
        return {
            "settings": dict(self.settings),
            "reasoning": list(self.reasoning),
            "doubt": self.doubt,
            "analysis": self.analysis.to_json(),
            "expected": asdict(self.expected),
        }


class IntelligentEnhancer:
    """Analyses pictures and recommends settings. Safe to use from several threads.

    Every method takes a path, a PIL picture of any mode, a ``Picture``, or an array: ``(H, W)`` or ``(H, W, 1..4)``,
    RGB order, ``uint8``, ``uint16`` or float in 0..1.

    Args:
        manager: says what is installed and on which device it would run; made from ``Config`` when not given.
        face_detector: finds faces; by default YuNet where its file is installed, else OpenCV's Haar cascades. Where
            the manager may download unasked, YuNet is fetched at first use.
        limits: for pictures given as paths; the program's defaults when not given.

    Raises (every method): ``InvalidImageError`` for what is not a picture.
    """

    def __init__(
        self,
        manager: ModelManager | None = None,
        face_detector: FaceDetector | None = None,
        limits: ImageLimits | None = None,
    ) -> None:
        self._own_manager = manager
        self._limits = limits
        self._given_detector = face_detector
        self._opened_detector: FaceDetector | None = None
        self._looker = PictureLooker()
        self._lock = threading.Lock()

    # -- single judgements --------------------------------------------------------------------------------------------

    def detect_content_type(self, image: AnyImage) -> ContentType:
        """ "anime" for drawn, painted and rendered pictures, "photo" for photographs."""
        return self._looker.content(planes_of(image, self._limits))[0]

    def detect_faces(self, image: AnyImage) -> int:
        """Number of clearly visible human faces, at least 20 pixels high. Drawn faces do not count."""
        view = planes_of(image, self._limits)
        return len(self._faces(view, self._looker.content(view)[1]))

    def analyze_noise_level(self, image: AnyImage) -> float:
        """0 = clean .. 1 = Gaussian noise of sigma 50 (of 255) or more."""
        return _level(estimate_sigma(planes_of(image, self._limits).noise_plane))

    def calculate_optimal_tile(self, image: AnyImage) -> int:
        """Tile side in input pixels for this device's free memory; 0 when the whole picture fits at once."""
        width, height = planes_of(image, self._limits).size
        return self._tile(width, height)

    # -- everything -----------------------------------------------------------------------------------------------

    def analyze(self, image: AnyImage) -> Analysis:
        """All findings about a picture."""
        view = planes_of(image, self._limits)
        with ThreadPoolExecutor(1) as pool:  # the two that take long, side by side
            looking = pool.submit(self._looker.look, view)
            content, drawn = self._looker.content(view)
            faces = self._faces(view, drawn) if content == "photo" else ()
            look = looking.result()
        faces = faces if look.content == "photo" else ()
        heights = tuple(sorted((round(face.height) for face in faces), reverse=True))
        return Analysis(
            content_type=look.content,
            certain=look.certain,
            subject=look.subject,
            faces=len(faces),
            face_heights=heights,
            noise_level=_level(look.noise_sigma),
            noise_sigma=look.noise_sigma,
            blur=round(blur_level(view.gray), 3),
            blockiness=look.blockiness,
            jpeg_quality=look.jpeg_quality,
            gray=view.is_gray,
            alpha=view.has_alpha,
            resolution=view.size,
            optimal_tile=self._tile(*view.size),
            confidence=_confidence(view, look, faces),
        )

    def recommend(self, image: AnyImage, mode: Mode = "auto") -> Recommendation:
        """Settings that fit the picture, this machine and the installed models, with the reasons.

        ``mode`` is what the model is chosen for, as in ``EnhanceSettings``.
        """
        analysis = self.analyze(image)
        width, height = analysis.resolution
        scale, why_scale = choose_scale(width, height)
        chosen = choose_model(self._manager, analysis.look.requirements(scale, mode, analysis.resolution))
        model = chosen.model
        reasons = [_found(analysis, doubted=bool(chosen.doubt)), *chosen.reasons, why_scale]
        denoise, why_denoise = self._denoise(model, analysis)
        reasons += why_denoise
        restore, why_faces = self._restore_faces(analysis)
        reasons += why_faces
        expected = estimate(self._manager, model, width, height, scale)
        reasons.append(_expected(expected, analysis.optimal_tile))
        settings = {
            "model": model,
            "mode": mode,
            "scale": scale,
            "fp32": False,
            "face_enhance": restore,
            "tile": 0,
            "auto_tile": True,
            "denoise_strength": denoise,
        }
        return Recommendation(settings, tuple(reasons), analysis, expected, chosen.doubt)

    def get_intelligent_settings(self, image: AnyImage, mode: Mode = "auto") -> JsonObject:
        """``recommend`` as plain values: ``{"settings": ..., "reasoning": [...], "analysis": ..., "expected": ...}``.

        ``enhance_image_direct(image, **result["settings"])`` runs it.
        """
        return self.recommend(image, mode).to_json()

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def _manager(self) -> ModelManager:
        with self._lock:
            if self._own_manager is None:
                from config import Config
                from engine.model_manager import ModelManager

                self._own_manager = ModelManager.from_config(Config())
            return self._own_manager

    def _faces(self, view: Planes, drawn: float) -> tuple[Face, ...]:
        if drawn > 0.9:
            return ()
        return self._detector().detect(view.rgb)

    def _detector(self) -> FaceDetector:
        if self._given_detector is not None:
            return self._given_detector
        from engine.faces.detector import open_detector

        manager = self._manager
        with self._lock:
            self._opened_detector = open_detector(manager, current=self._opened_detector, fetch=True)
            return self._opened_detector

    def _tile(self, width: int, height: int) -> int:
        return optimal_tile(width, height, self._manager.resolve_device())

    def _denoise(self, model: str, analysis: Analysis) -> tuple[float | None, list[str]]:
        if not self._manager.has_denoise_control(model):
            if analysis.noise_sigma > 6:
                return None, ["This model has no denoise control; realesr-general-x4v3 with its twin would have."]
            return None, []
        strength = round(float(np.clip(0.3 + analysis.noise_sigma / 20 + (0.2 if analysis.look.worn else 0), 0, 1)), 2)
        return strength, [f"Denoise strength {strength:g} for noise of sigma {analysis.noise_sigma:.1f}."]

    def _restore_faces(self, analysis: Analysis) -> tuple[bool, list[str]]:
        heights = analysis.face_heights
        fitting = [height for height in heights if SMALLEST_FACE <= height <= LARGEST_FACE]
        if analysis.content_type != "photo" or not heights:
            return False, []
        if not fitting:
            large = sum(height > LARGEST_FACE for height in heights)
            reasons = []
            if large:
                reasons.append(f"{_faces(large)}, larger than {LARGEST_FACE} pixels: sharp enough to be left alone.")
            if large < len(heights):
                reasons.append(f"{_faces(len(heights) - large)}, less than {SMALLEST_FACE} pixels high: too small.")
            return False, reasons
        count = _faces(len(heights))
        if not self._manager.installed_face_models():
            return False, [
                f"{count} found, but no face model is installed; `{command()} models download GFPGANv1.4` "
                "(349 MB) would restore faces."
            ]
        from engine.faces.detector import DETECTOR_MODELS

        if set(DETECTOR_MODELS).isdisjoint(self._manager.present()):
            return False, [
                f"{count} found, but not where eyes and mouth are; `{command()} models download "
                f"{DETECTOR_MODELS[-1]}` (0.2 MB) would locate them, so that faces can be restored."
            ]
        return True, [f"{count} found, {max(fitting)} pixels high at most: faces are restored."]


def _faces(count: int) -> str:
    return f"{count} face{'s' if count > 1 else ''}"


def _level(sigma: float) -> float:
    return round(min(1.0, sigma / FULL_NOISE), 4)


def _confidence(view: Planes, look: Look, faces: tuple[Face, ...]) -> dict[str, float]:
    pixels = view.size[0] * view.size[1]
    return {
        "content_type": look.confidence,
        "faces": round(min((face.score for face in faces), default=look.confidence), 3),
        # Few pixels, or noise drowned by what lies under it, make a weak estimate.
        "noise": round(min(1.0, pixels / 250_000) * (0.6 if look.noise_sigma < 1.5 else 0.95), 3),
    }


def _found(analysis: Analysis, doubted: bool) -> str:
    """What is seen. ``doubted``: another sentence says that it may be a photograph or a drawing."""
    width, height = analysis.resolution
    traits = [f"{width}x{height} pixels"]
    if analysis.gray:
        traits.append("gray")
    if analysis.alpha:
        traits.append("with transparency")
    if analysis.noise_sigma >= 2:
        traits.append(f"noise of sigma {analysis.noise_sigma:.0f}")
    if analysis.jpeg_quality is not None and analysis.jpeg_quality < 85:
        traits.append(f"JPEG quality {analysis.jpeg_quality}")
    elif analysis.blockiness > 0.5:
        traits.append("visible compression blocks")
    if analysis.blur > 0.6:
        traits.append("blurred")
    if doubted:
        return f"The picture: {', '.join(traits)}."
    if not analysis.certain:
        return f"It may be a photograph or a drawing: {', '.join(traits)}."
    return f"It looks like a {analysis.subject} ({analysis.confidence['content_type']:.0%}): {', '.join(traits)}."


def _expected(expected: Estimate, tile: int) -> str:
    how = "whole" if tile == 0 else f"in tiles of {tile} pixels"
    basis = "" if expected.measured else ", a rough guess until the model has run once"
    return f"Runs {how}, in about {max(1, round(expected.seconds))} s with {expected.memory_mb:.0f} MB{basis}."
