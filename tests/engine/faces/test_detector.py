"""Finding faces: the labelled pictures where they are here, and the geometry everywhere."""

from __future__ import annotations

import hashlib
import shutil
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from config import Config
from engine.face_restorer import FaceRestorer
from engine.faces.detector import FaceDetector, merge, open_detector
from engine.faces.face import Face, has_face_geometry
from engine.intelligent_enhancer import IntelligentEnhancer
from engine.model_manager import ModelManager
from engine.models.registry import REGISTRY
from tests.conftest import shared
from utils import image_io
from utils.errors import UnsupportedModelError
from utils.pixels import to_eight_bits

UPRIGHT = np.float32([[38, 40], [62, 40], [50, 55], [41, 68], [59, 68]])
"""Landmarks of a frontal face in a box of 100 x 100."""


def face(x=0.0, y=0.0, side=100.0, score=0.9) -> Face:
    return Face(x, y, side, side, UPRIGHT * np.float32(side / 100) + np.float32((x, y)), score)


def labelled():
    """(path, number of faces) of every labelled picture."""
    root = shared("labelled", "faces")
    return [(path, int(path.parent.name)) for path in sorted(root.glob("*/*"))]


def pixels(path) -> np.ndarray:
    return to_eight_bits(image_io.load(path).pixels)


@pytest.fixture(scope="module")
def yunet() -> FaceDetector:
    return FaceDetector(shared("weights", "face_detection_yunet_2026may.onnx"))


def _accuracy(detector: FaceDetector) -> float:
    right = [len(detector.detect(pixels(path))) == count for path, count in labelled()]
    print(f"{detector.name}: number of faces right in {sum(right)} of {len(right)} pictures")
    return float(np.mean(right))


def test_yunet_counts_the_labelled_faces(yunet):
    assert _accuracy(yunet) >= 0.95


def test_haar_cascades_count_most_of_them():
    assert _accuracy(FaceDetector()) >= 0.8


def test_drawn_faces_do_not_count(yunet):
    drawings = sorted(shared("labelled", "content", "anime").iterdir())
    empty = sum(not yunet.detect(pixels(path)) for path in drawings)
    print(f"no face found in {empty} of {len(drawings)} drawings")
    assert empty >= 0.9 * len(drawings)


def test_landmarks_lie_in_their_faces_in_the_documented_order(yunet):
    for found in yunet.detect(pixels(shared("samples", "Blake_Lively.jpg"))):
        right_eye, left_eye, nose, right_mouth, left_mouth = found.landmarks
        assert right_eye[0] < nose[0] < left_eye[0] and right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_a_picture_half_the_size_has_the_same_faces(yunet):
    import cv2

    picture = pixels(shared("samples", "Blake_Lively.jpg"))
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for first, again in zip(yunet.detect(picture), yunet.detect(half), strict=True):
        assert again.scaled(2).center == pytest.approx(first.center, abs=0.1 * first.height)


def test_gray_and_empty_pictures_are_no_obstacle():
    detector = FaceDetector()
    assert detector.detect(np.zeros((64, 64), np.uint8)) == ()
    assert detector.detect(np.full((64, 64, 1), 99, np.uint8)) == ()
    assert detector.detect(np.zeros((10, 400, 3), np.uint8)) == ()


def test_a_file_that_is_no_detector_is_named(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(UnsupportedModelError, match=r"broken\.onnx"):
        FaceDetector(path)


@pytest.fixture
def yunet_mirror():
    """A registry whose YuNet comes from a server on this machine, and the requests that the server got."""
    requests = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            requests.append(self.path)

    file = shared("weights", "face_detection_yunet_2026may.onnx")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=file.parent)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        known = REGISTRY["face_detection_yunet_2023mar"]
        urls = (f"http://127.0.0.1:{server.server_port}/{file.name}",)
        spec = replace(known, urls=urls, size=file.stat().st_size, sha256=digest)
        yield {known.name: spec}, requests
        server.shutdown()


@pytest.mark.parametrize("allowed", [False, True])
def test_yunet_is_fetched_at_first_use_where_that_is_allowed(tmp_path, yunet_mirror, allowed):
    specs, requests = yunet_mirror
    manager = ModelManager(specs, tmp_path, bundled_dir=None, cache_dir=None, device="cpu", quiet_downloads=allowed)
    assert FaceRestorer(manager).detector.name == "haar" and not requests
    assert open_detector(manager, fetch=True, patience=60).name == ("yunet" if allowed else "haar")
    assert bool(requests) is allowed and any(tmp_path.iterdir()) is allowed


def test_only_a_configuration_that_allows_downloads_lets_yunet_be_fetched(tmp_path):
    for settings, allowed in (({}, True), ({"enable_downloads": False}, False), ({"share": True}, False)):
        config = Config(_env_file=None, weights_dir=tmp_path, cache_dir=tmp_path / "cache", **settings)
        assert ModelManager.from_config(config)._fetches is allowed


def test_yunet_serves_as_soon_as_its_file_is_there(tmp_path):
    manager = ModelManager(dict(REGISTRY), tmp_path, bundled_dir=None, cache_dir=None, device="cpu")
    restorer, enhancer = FaceRestorer(manager), IntelligentEnhancer(manager)
    haar = restorer.detector
    assert haar.name == enhancer._detector().name == "haar" and restorer.detector is haar
    shutil.copy(shared("weights", "face_detection_yunet_2026may.onnx"), tmp_path)
    yunet = restorer.detector
    assert yunet.name == enhancer._detector().name == "yunet" and restorer.detector is yunet


def test_a_damaged_file_of_yunet_leaves_haar(tmp_path):
    manager = ModelManager(dict(REGISTRY), tmp_path, bundled_dir=None, cache_dir=None, device="cpu")
    haar = open_detector(manager)
    (tmp_path / "face_detection_yunet_2026may.onnx").write_bytes(b"cut off")
    assert open_detector(manager, current=haar) is haar


def test_overlapping_finds_are_one_face_and_the_surer_one_stays():
    sure, doubtful, elsewhere = face(score=0.95), face(5, 5, score=0.7), face(300, 0, score=0.6)
    assert merge([doubtful, elsewhere, sure]) == [sure, elsewhere]


def test_a_face_inside_a_face_is_one():
    assert len(merge([face(side=200), face(60, 60, side=60)])) == 1


def test_scaling_and_moving_take_the_landmarks_along():
    moved = face(10, 20).scaled(2, 3).moved(1, 1)
    assert (moved.x, moved.y, moved.width, moved.height) == (21, 61, 200, 300)
    assert moved.landmarks == pytest.approx((UPRIGHT + (10, 20)) * (2, 3) + 1)


@pytest.mark.parametrize(
    ("change", "possible"),
    [("nothing", True), ("nose above the eyes", False), ("mouth on the eyes", False), ("eye outside", False)],
)
def test_landmarks_that_no_face_has_are_recognised(change, possible):
    points = UPRIGHT.copy()
    if change == "nose above the eyes":
        points[2, 1] = 10
    elif change == "mouth on the eyes":
        points[3:, 1] = 42
    elif change == "eye outside":
        points[0, 0] = -60
    assert has_face_geometry(Face(0, 0, 100, 100, points)) is possible
