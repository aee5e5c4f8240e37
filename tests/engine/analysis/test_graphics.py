"""Pixel art, print and line art are told from photographs."""

import cv2
import numpy as np
import pytest

from engine.analysis.graphics import flat_share, is_two_toned, pixel_art_factor, text_share


@pytest.fixture
def sprite() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 6, (40, 60, 3), dtype=np.uint8) * 50


def page(scale: float = 0.6) -> np.ndarray:
    """Black print on white, 600 x 800."""
    canvas = np.full((600, 800), 255, np.uint8)
    for row in range(24):
        text = "The quick brown fox jumps over the lazy dog 0123456789"[row % 5 :]
        cv2.putText(canvas, text, (12, 24 + row * 24), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, 1, cv2.LINE_AA)
    return canvas


@pytest.mark.parametrize("factor", (2, 3, 5, 8))
def test_enlarged_pixel_art_gives_its_factor(sprite, factor):
    assert pixel_art_factor(np.kron(sprite, np.ones((factor, factor, 1), np.uint8))) == factor


def test_pixel_art_is_found_when_its_grid_does_not_start_at_the_corner(sprite):
    enlarged = np.kron(sprite, np.ones((4, 4, 1), np.uint8))
    assert pixel_art_factor(enlarged[3:, 2:]) == 4


def test_other_pictures_are_no_pixel_art(scene, sprite):
    assert pixel_art_factor(scene) == 1
    assert pixel_art_factor(sprite) == 1
    assert pixel_art_factor(np.full((100, 100, 3), 9, np.uint8)) == 1


def test_print_is_text_and_scenes_are_not(scene):
    assert text_share(page()) == 1
    assert text_share(255 - page()) == 1
    assert text_share(cv2.resize(scene[..., 1], (800, 600))) == 0


def test_rendered_surfaces_are_flat_and_grain_is_not(scene):
    assert flat_share(np.repeat(page()[..., None], 3, axis=2)) > 0.6
    assert flat_share(scene) < 0.05


def test_ink_on_paper_has_two_tones(scene):
    assert is_two_toned(page())
    assert not is_two_toned(scene[..., 1])
    assert not is_two_toned(np.full((50, 50), 255, np.uint8))
