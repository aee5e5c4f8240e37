"""Alignment: known landmarks come to the template's, at every size, angle and place, to under a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.faces.align import CROP_SIDE, TEMPLATE, Alignment, align, crop_face, warp
from engine.faces.landmarks import landmarks_in_crop, refine
from tests.conftest import shared
from tests.pictures import face_landmarks, portrait
from utils import image_io


def placed(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    """The template's landmarks somewhere in a picture."""
    turn = np.deg2rad(degrees)
    matrix = scale * np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    return (TEMPLATE - 256) @ matrix.T + (x, y)


@pytest.mark.parametrize("scale", [0.05, 0.4, 1.0, 6.0])
@pytest.mark.parametrize("degrees", [0, 17, -45, 90, 180])
def test_the_alignment_is_exact_for_landmarks_that_fit(scale, degrees):
    points = placed(scale, degrees, 300, 200)
    alignment = align(points)
    assert alignment.to_crop(points) == pytest.approx(TEMPLATE, abs=1e-6)
    assert alignment.to_picture(TEMPLATE) == pytest.approx(points, abs=1e-6)
    assert alignment.scale == pytest.approx(1 / scale)
    assert np.cos(np.deg2rad(alignment.degrees - degrees)) == pytest.approx(1)


def test_one_wrong_landmark_costs_pixels_not_the_face():
    points = placed(0.5, 10, 300, 200)
    points[2] += (6, 4)
    moved = np.linalg.norm(align(points).to_crop(placed(0.5, 10, 300, 200)) - TEMPLATE, axis=1)
    assert moved.max() < 8


def test_a_mirrored_face_is_not_mirrored_back():
    assert np.linalg.det(align(placed(1, 0, 0, 0) * (-1, 1)).matrix[:, :2]) > 0


@pytest.mark.parametrize(("eyes", "degrees"), [(30, 0), (126, 0), (126, 25), (126, -70), (300, 12)])
def test_what_is_drawn_at_a_landmark_appears_at_the_template(eyes, degrees):
    """Dots at the eyes and the nose, found again in the crop by their centre of mass, to under a pixel."""
    points = face_landmarks(820, 780, eyes, degrees)
    alignment = align(points)
    for point in points:
        canvas = np.zeros((1600, 1600, 1), np.uint8)
        spot = [round((float(value) - 0.5) * 16) for value in point]
        cv2.circle(canvas, spot, round(0.12 * eyes * 16), 255, -1, cv2.LINE_AA, 4)
        crop = crop_face(canvas, alignment)[..., 0].astype(np.float64)
        y, x = np.mgrid[0:CROP_SIDE, 0:CROP_SIDE] + 0.5
        center = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum()
        assert np.linalg.norm(center - alignment.to_crop(point[None])[0]) < 0.5


def test_a_picture_and_its_enlargement_give_the_same_crop():
    picture = portrait(200, 260, [(130, 80, 40, 8)])
    large = cv2.resize(picture, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    alignment = align(face_landmarks(130, 80, 40, 8))
    a, b = crop_face(picture, alignment), crop_face(large, alignment.scaled(4, 4))
    assert np.abs(a - b).mean() < 0.01


def test_moving_and_scaling_an_alignment_are_the_picture_s():
    points = placed(0.5, 10, 300, 200)
    alignment = align(points).scaled(3, 2).moved(7, -5)
    assert alignment.to_crop(points * (3, 2) + (7, -5)) == pytest.approx(TEMPLATE)


def test_reducing_does_not_alias():
    stripes = np.zeros((400, 400, 1), np.uint8)
    stripes[:, ::2] = 255
    quarter = warp(stripes, np.array([(0.25, 0, 0), (0, 0.25, 0)]), (100, 100))
    assert np.abs(quarter - 127.5).max() < 1


def test_beyond_the_border_the_picture_is_mirrored():
    picture = np.full((64, 64, 3), 90, np.uint8)
    crop = crop_face(picture, align(face_landmarks(2, 2, 40)))
    assert np.abs(crop - 90 / 255).max() < 1e-3


def test_sixteen_bits_and_gray_are_cropped_alike():
    picture = portrait(200, 260, [(130, 80, 40)])
    alignment = align(face_landmarks(130, 80, 40))
    deep = crop_face(picture.astype(np.uint16) * 257, alignment)
    assert np.abs(deep - crop_face(picture, alignment)).max() < 1e-4
    assert crop_face(picture[..., :1], alignment).shape == (CROP_SIDE, CROP_SIDE, 1)


def test_boxes_stay_inside_the_picture():
    assert align(face_landmarks(0, 0, 60)).box((100, 80)) == (0, 0, 100, 80)
    assert Alignment(np.array([(1.0, 0, -500), (0, 1.0, -300)])).box((2000, 2000)) == (498, 298, 1014, 814)


class TestRefinement:
    """Real faces, where the test material is here."""

    @pytest.fixture(scope="class")
    def detector(self):
        from engine.faces.detector import FaceDetector

        return FaceDetector(shared("weights", "face_detection_yunet_2026may.onnx"))

    @pytest.fixture(scope="class")
    def picture(self):
        return image_io.load(shared("samples", "Blake_Lively.jpg")).pixels

    def test_refined_landmarks_do_not_depend_on_the_picture_s_size(self, detector, picture):
        """The detector's own differ by over a tenth of the distance between the eyes between two sizes."""
        half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for first, again in zip(detector.detect(picture), detector.detect(half), strict=True):
            a = refine(picture, first, detector.look).landmarks
            b = refine(half, again, detector.look).landmarks * 2
            assert np.linalg.norm(a - b, axis=1).mean() < 0.05 * np.linalg.norm(a[1] - a[0])

    def test_a_turned_picture_has_the_same_crop(self, detector, picture):
        face = detector.detect(picture)[0]
        upright = crop_face(picture, align(refine(picture, face, detector.look).landmarks))
        turn = cv2.getRotationMatrix2D(face.center, 30, 1.0)
        turned = cv2.warpAffine(picture, turn, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
        found = min(detector.detect(turned), key=lambda one: np.hypot(*np.subtract(one.center, face.center)))
        again = crop_face(turned, align(refine(turned, found, detector.look).landmarks))
        middle = slice(160, 400)
        assert np.corrcoef(upright[middle, middle].ravel(), again[middle, middle].ravel())[0, 1] > 0.9

    def test_a_crop_without_a_face_has_no_landmarks(self, detector):
        assert landmarks_in_crop(np.full((512, 512, 3), 0.5, np.float32), detector.look) is None
