"""The identity guard: what was visible has to stay; what is finer may be new."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.faces.align import TEMPLATE, align, crop_face
from engine.faces.detector import FaceDetector
from engine.faces.face import Face
from engine.faces.guard import compare, likeness
from engine.faces.landmarks import LOOK_SIDE, refine
from tests.conftest import shared
from tests.pictures import portrait
from utils import image_io

SPOT = (260, 240, 126)


def crop(spot=SPOT, blur=0.0) -> np.ndarray:
    picture = portrait(520, 520, [spot]).astype(np.float32) / 255
    picture = cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture
    from tests.pictures import face_landmarks

    return crop_face((picture * 255).astype(np.uint8), align(face_landmarks(*SPOT)))


def finds(*answers):
    """A detector's look that gives the answers in turn: landmarks in crop pixels, or None; the mirror image too."""
    queue = [points for points in answers for _ in range(2)]
    calls = iter(range(100))

    def look(rgb):
        index = next(calls)
        points = queue[index]
        if points is None:
            return []
        points = points * LOOK_SIDE / 512
        if index % 2:
            points = np.column_stack([LOOK_SIDE - points[:, 0], points[:, 1]])[[1, 0, 2, 4, 3]]
        return [Face(0, 0, 1, 1, points.astype(np.float32))]

    return look


def test_the_same_face_is_shown_whole():
    verdict = compare(crop(), crop(), 4.0, finds(TEMPLATE, TEMPLATE))
    assert verdict.share == 1 and verdict.likeness == pytest.approx(1) and verdict.landmark_shift == 0
    assert verdict.reason == ""


@pytest.mark.parametrize("blur", [2.0, 4.0, 6.0])
def test_detail_finer_than_the_picture_may_be_new(blur):
    assert compare(crop(blur=blur), crop(), 6.0, None).share == 1


def test_a_change_of_light_or_tint_is_not_a_change_of_face():
    """It is taken back when the face is pasted, so it does not count."""
    y = np.linspace(-0.1, 0.1, 512, dtype=np.float32)[:, None, None]
    assert compare(crop(), np.clip(crop() + y + np.float32((0.05, 0, -0.05)), 0, 1), 4.0, None).share == 1


def test_other_features_are_put_back():
    other = np.roll(crop()[::-1], 60, axis=1)
    verdict = compare(crop(), np.ascontiguousarray(other), 4.0, None)
    assert verdict.share == 0 and "features changed" in verdict.reason


def test_between_the_same_and_another_there_is_a_blend():
    shares = [compare(crop(), crop((260 + move, 240, 126)), 2.0, None).share for move in range(0, 40, 2)]
    assert shares[0] == 1 and shares[-1] == 0
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(("move", "share"), [(0.05, 1.0), (0.175, 0.5), (0.3, 0.0)])
def test_landmarks_that_moved_blend_the_face_back(move, share):
    eyes = np.linalg.norm(TEMPLATE[1] - TEMPLATE[0])
    verdict = compare(crop(), crop(), 4.0, finds(TEMPLATE, TEMPLATE + (move * eyes, 0)))
    assert verdict.landmark_shift == pytest.approx(move, abs=1e-3)
    assert verdict.share == pytest.approx(share, abs=0.02)
    assert ("moved" in verdict.reason) == (share < 1)


def test_landmarks_of_tiny_faces_may_move_further():
    eyes = np.linalg.norm(TEMPLATE[1] - TEMPLATE[0])
    assert compare(crop(), crop(), 10.0, finds(TEMPLATE, TEMPLATE + (0.3 * eyes, 0))).share == 1


def test_what_is_no_face_any_more_is_put_back():
    verdict = compare(crop(), crop(), 4.0, finds(TEMPLATE, None))
    assert verdict.share == 0 and "no face" in verdict.reason


def test_a_face_too_unclear_to_locate_is_judged_by_its_shading_alone():
    verdict = compare(crop(), crop(), 12.0, finds(None))
    assert verdict.share == 1 and verdict.landmark_shift is None


def test_a_black_crop_has_nothing_to_lose():
    black = np.zeros((512, 512, 3), np.float32)
    assert likeness(black, black, 4.0) == 1.0
    assert likeness(black, crop(), 4.0) < 0.5


def test_real_faces_are_told_apart():
    """Two people in one picture: each is itself, neither is the other."""
    detector = FaceDetector(shared("weights", "face_detection_yunet_2026may.onnx"))
    picture = image_io.load(shared("samples", "Blake_Lively.jpg")).pixels
    crops = []
    for face in detector.detect(picture):
        alignment = align(refine(picture, face, detector.look).landmarks)
        crops.append((crop_face(picture, alignment), alignment.scale))
    (first, scale), (second, _) = crops
    small = cv2.resize(cv2.resize(first, (64, 64), interpolation=cv2.INTER_AREA), (512, 512))
    assert compare(small, first, 8.0, detector.look).share == 1
    assert compare(first, second, scale, detector.look).share == 0
