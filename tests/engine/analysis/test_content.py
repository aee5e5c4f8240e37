"""Photographs and drawings of several kinds are told apart, whatever their size."""

import cv2
import numpy as np
import pytest

from engine import IntelligentEnhancer
from engine.analysis.content import SMALL_SIDE, USUAL_SIDE, ContentClassifier, small_share
from tests.conftest import shared

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "camera", "rocket")


@pytest.fixture(scope="module")
def classifier() -> ContentClassifier:
    return ContentClassifier()


def photograph(name: str) -> np.ndarray:
    from skimage import data

    pixels = getattr(data, name)()
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def at_night(rgb: np.ndarray) -> np.ndarray:
    return (255 * (rgb / 255.0) ** 2.2).astype(np.uint8)


def vector_art() -> np.ndarray:
    """Flat shapes without outlines, smooth edges."""
    canvas = np.full((480, 640, 3), (120, 190, 230), np.uint8)
    cv2.rectangle(canvas, (0, 330), (640, 480), (90, 160, 80), -1)
    for x, color in ((90, (200, 80, 60)), (260, (240, 200, 90)), (440, (110, 80, 150))):
        cv2.rectangle(canvas, (x, 200), (x + 110, 400), color, -1)
        cv2.fillPoly(canvas, [np.array([(x - 15, 200), (x + 55, 130), (x + 125, 200)])], (90, 50, 40), cv2.LINE_AA)
        cv2.circle(canvas, (x + 55, 270), 24, (250, 245, 220), -1, cv2.LINE_AA)
    cv2.circle(canvas, (560, 80), 45, (255, 220, 90), -1, cv2.LINE_AA)
    return canvas


def manga() -> np.ndarray:
    """Black outlines on white paper, one dress shaded with a screen of dots."""
    canvas = np.full((640, 460, 3), 255, np.uint8)
    y, x = np.mgrid[:640, :460]
    dots = ((x % 6 < 2) & (y % 6 < 2))[..., None]
    body = np.zeros((640, 460), np.uint8)
    cv2.fillPoly(body, [np.array([(150, 360), (310, 360), (390, 639), (70, 639)])], 255)
    canvas = np.where((body > 0)[..., None] & dots, 40, canvas).astype(np.uint8)
    cv2.polylines(canvas, [np.array([(150, 360), (310, 360), (390, 639), (70, 639)])], True, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.ellipse(canvas, (230, 220), (110, 140), 0, 0, 360, (0, 0, 0), 3, cv2.LINE_AA)
    for side in (-45, 45):
        cv2.ellipse(canvas, (230 + side, 225), (22, 32), 0, 0, 360, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.circle(canvas, (222 + side, 212), 8, (255, 255, 255), -1, cv2.LINE_AA)
    for start in range(120, 345, 16):
        cv2.line(canvas, (start, 110), (start + 20, 190), (0, 0, 0), 2, cv2.LINE_AA)
    return canvas


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_photographs(classifier, name):
    assert classifier.probability_drawn(photograph(name)) < 0.5


@pytest.mark.parametrize("name", ("astronaut", "chelsea"))
def test_gray_and_dark_photographs_stay_photographs(classifier, name):
    rgb = photograph(name)
    gray = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert classifier.probability_drawn(gray) < 0.5
    assert classifier.probability_drawn(at_night(rgb)) < 0.5


def test_flat_vector_art_is_drawn(classifier):
    assert classifier.probability_drawn(vector_art()) > 0.9
    assert classifier.probability_drawn(vector_art()[:, ::-1]) > 0.9


def test_manga_is_drawn(manager):
    """The classifier alone is unsure of sparse lines on white; that a page has two tones settles it."""
    analysis = IntelligentEnhancer(manager).analyze(manga())
    assert (analysis.content_type, analysis.subject) == ("anime", "line art")


def test_the_judgement_hardly_depends_on_the_size(classifier):
    rgb = photograph("coffee")
    double = cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert classifier.probability_drawn(double) == pytest.approx(classifier.probability_drawn(rgb), abs=0.15)


def reduced_and_worn(rgb: np.ndarray, side: int, quality: int) -> np.ndarray:
    factor = side / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    stored = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(stored, cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize("quality", (30, 75))
@pytest.mark.parametrize("side", (96, 180))
def test_ringing_makes_no_photograph_of_a_small_drawing(classifier, side, quality):
    assert classifier.probability_drawn(reduced_and_worn(vector_art(), side, quality)) > 0.5
    assert classifier.probability_drawn(reduced_and_worn(photograph("chelsea"), side, quality)) < 0.5


def test_a_worn_thumbnail_of_a_drawing_is_taken_for_no_photograph(manager):
    look = IntelligentEnhancer(manager).analyze(shared("samples", "0014.jpg"))
    assert look.content_type == "anime"
    assert look.subject != "photograph"


def test_weights_change_over_without_a_step(classifier):
    """From those for small pictures to the others a pixel more turns no judgement round."""
    assert [small_share(side) for side in (96, SMALL_SIDE, (SMALL_SIDE + USUAL_SIDE) // 2, USUAL_SIDE, 4000)] == [
        1,
        1,
        0.5,
        0,
        0,
    ]
    rgb = photograph("coffee")
    sides = (SMALL_SIDE, SMALL_SIDE + 1, USUAL_SIDE - 1, USUAL_SIDE)
    below, above, under, over = (
        classifier.probability_drawn(cv2.resize(rgb, (side, side * 2 // 3), interpolation=cv2.INTER_AREA))
        for side in sides
    )
    assert below == pytest.approx(above, abs=0.1) and under == pytest.approx(over, abs=0.1)


@pytest.mark.parametrize("shape", ((1, 1), (5, 900), (17, 16)))
def test_odd_sizes_are_judged(classifier, shape):
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert 0 <= classifier.probability_drawn(rgb) <= 1
