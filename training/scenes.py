"""Pictures for the teachers to enlarge, at the size that they are enlarged from: photographs, faces, drawings, text,
flat colours and gradients, worn as real ones are. Window number ``n`` of a seed is always the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from training.content_data import Pools, load
from training.content_data import drawing as found_drawing
from training.data import drawing as synthetic_drawing
from training.data import turn_colors
from training.packages import SOURCES
from training.worn import DRAWN, FILMED, PHOTOGRAPHED, worn

NOT_FROM = ("deb/opencv-doc/", "npm/lwip-", "deb/tuxpaint-stamps-default/")
"""Packages that hold pictures of benchmarks, or cut-outs whose coloured grounds are no photograph's."""
HELD_OUT_EVERY = 12
MARGIN = 16
"""Pixels around a window that are worn with it and cut off: blocks of encoders begin anywhere, borders are nowhere."""
LONGEST_SIDE = 2600
TURNED_SHARE = 0.08


@dataclass(frozen=True)
class Sources:
    """Where pictures come from.

    Attributes:
        pools: photographs, and drawings by kind.
        faces: ``(path, (x, y, side))``, squares around faces, in the pixels of :func:`read`.
    """

    pools: Pools
    faces: tuple[tuple[Path, tuple[int, int, int]], ...] = ()


@lru_cache(maxsize=96)
def read(path: Path) -> np.ndarray:
    """``(H, W, 3) uint8`` RGB, at most ``LONGEST_SIDE`` long; what is transparent is white, black or grey."""
    return load(path, np.random.default_rng(len(path.name)), LONGEST_SIDE)


def find_sources(photographs: Path, packages: Path | None, detector: Path | None, held_out: bool) -> Sources:
    """The pictures of a folder and of the packages that are there; every twelfth is kept for the held-out set alone.

    Args:
        photographs: folder of JPEG and PNG files.
        packages: folder that holds packages of ``content_sources.json`` as ``training/content.py`` wants them.
        detector: YuNet's ONNX file; without it, faces get no windows of their own.
        held_out: take the held-out pictures instead of the others.
    """

    def chosen(paths: list[Path]) -> tuple[Path, ...]:
        return tuple(path for number, path in enumerate(paths) if (number % HELD_OUT_EVERY == 5) is held_out)

    photos = sorted(path for path in photographs.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    drawings: dict[str, list[Path]] = {}
    if packages is not None:
        for kind, names in json.loads(SOURCES.read_text()).items():
            free = (packages / name for name in names if not name.startswith(NOT_FROM))
            drawings[kind] = sorted(path for path in free if path.exists())
    found = drawings.pop("photographs", [])
    both = chosen(photos) + chosen(found)
    if not both:
        raise SystemExit(f"'{photographs}' holds no photographs.")
    pools = Pools(both, {kind: chosen(paths) for kind, paths in drawings.items() if chosen(paths)})
    return Sources(pools, _find_faces(pools.photographs, detector))


def _find_faces(paths: tuple[Path, ...], detector: Path | None) -> tuple[tuple[Path, tuple[int, int, int]], ...]:
    if detector is None:
        return ()
    found = []
    network = cv2.FaceDetectorYN.create(str(detector), "", (640, 640), 0.85)
    for path in paths:
        rgb = read(path)
        factor = min(1.0, 900 / max(rgb.shape[:2]))
        small = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        network.setInputSize((small.shape[1], small.shape[0]))
        rows = network.detect(np.ascontiguousarray(small[..., ::-1]))[1]
        for row in rows if rows is not None else ():
            x, y, width, height = (float(value) / factor for value in row[:4])
            if width > 20:
                found.append((path, (round(x + width / 2), round(y + height / 2), round(max(width, height)))))
    return tuple(found)


def _fitted(random: np.random.Generator, cut: np.ndarray, side: int) -> np.ndarray:
    """A square at another size, by a usual filter; seldom enlarged (as pictures are that were enlarged before)."""
    if cut.shape[0] < side:
        return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_CUBIC))
    filters = (cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)
    filter_ = filters[int(random.choice(4, p=(0.6, 0.2, 0.1, 0.1)))]
    if cut.shape[0] > 2 * side and filter_ != cv2.INTER_AREA:  # these filters know four pixels only
        half = side * 2
        cut = cv2.resize(cut, (half, half), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cut, (side, side), interpolation=filter_))


def _square(random: np.random.Generator, rgb: np.ndarray, side: int, structured: bool = True) -> np.ndarray:
    """A square of the picture, reduced by a factor between 1 and what fits, to ``side``."""
    most = min(rgb.shape[:2])
    least = min(most, side if random.random() < 0.9 else side * 2 // 3)
    for _ in range(4):
        size = round(float(np.exp(random.uniform(np.log(least), np.log(most)))))
        top, left = (int(random.integers(0, length - size + 1)) for length in rgb.shape[:2])
        cut = rgb[top : top + size, left : left + size]
        if not structured or cut[::4, ::4].std() > 18 or random.random() < 0.15:
            break
    return _fitted(random, cut, side)


def _photograph(random: np.random.Generator, sources: Sources, side: int) -> np.ndarray:
    paths = sources.pools.photographs
    return _square(random, read(paths[int(random.integers(len(paths)))]), side)


def _face(random: np.random.Generator, sources: Sources, side: int) -> np.ndarray:
    if not sources.faces:
        return _photograph(random, sources, side)
    path, (x, y, size) = sources.faces[int(random.integers(len(sources.faces)))]
    rgb = read(path)
    wanted = min(round(size * random.uniform(1.2, 6)), *rgb.shape[:2])
    top = int(np.clip(y - wanted * random.uniform(0.3, 0.7), 0, rgb.shape[0] - wanted))
    left = int(np.clip(x - wanted * random.uniform(0.3, 0.7), 0, rgb.shape[1] - wanted))
    cut = rgb[top : top + wanted, left : left + wanted]
    if wanted < side:  # smaller faces: the face at its own size, the rest mirrored
        cut = np.pad(cut, ((0, side - wanted), (0, side - wanted), (0, 0)), "symmetric")
    return _fitted(random, cut, side)


def _drawing(random: np.random.Generator, sources: Sources, side: int) -> np.ndarray:
    if sources.pools.drawings and random.random() < 0.75:
        return _square(random, found_drawing(random, sources.pools), side)
    return _fitted(random, synthetic_drawing(random, side * 2), side)


_WORDS = "the of light paper Über 2026 moon river 15:40 table straße window 3.14 house water night letter green No. 7"


def _text(random: np.random.Generator, sources: Sources, side: int) -> np.ndarray:
    """Lines of text in a stroke font, as pages and windows of programs show them."""
    light = random.random() < 0.7
    ground = random.integers(200, 256, 3) if light else random.integers(0, 60, 3)
    ink = random.integers(0, 90, 3) if light else random.integers(170, 256, 3)
    big = side * 3
    canvas = np.empty((big, big, 3), np.uint8)
    canvas[:] = ground
    words = _WORDS.encode("ascii", "ignore").decode().split()
    size = float(random.uniform(1.0, 3.2))
    font, line = int(random.integers(0, 5)), int(36 * size)
    for y in range(line, big + line, int(line * random.uniform(1.1, 1.7))):
        text = " ".join(random.choice(words, 16))
        start = (int(random.integers(-60, 60)), y)
        cv2.putText(canvas, text, start, font, size, ink.tolist(), max(2, round(size * 2.2)), cv2.LINE_AA)
    for _ in range(int(random.integers(0, 4))):
        corner = random.integers(0, big, 2)
        end = corner + random.integers(40, big // 2, 2)
        width = -1 if random.random() < 0.3 else 3
        cv2.rectangle(canvas, corner.tolist(), end.tolist(), random.integers(0, 256, 3).tolist(), width)
    return np.asarray(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA))


def _flat(random: np.random.Generator, sources: Sources, side: int) -> np.ndarray:
    """A colour or a gradient, sometimes with one edge between colours of like brightness."""
    y, x = np.mgrid[:side, :side] / side
    angle = random.uniform(0, 2 * np.pi)
    share = np.clip((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5, 0, 1)
    first = random.integers(0, 256, 3)
    chance = random.random()
    second = first + (random.integers(-60, 61, 3) if chance < 0.6 else 0)
    if chance > 0.6:
        share = np.clip((share - 0.5) * side * random.uniform(0.3, 1) + 0.5, 0, 1)
        second = random.integers(0, 256, 3)
        weights = np.array((0.299, 0.587, 0.114))
        second = second + (first - second) @ weights
    mixed = first * (1 - share[..., None]) + second * share[..., None]
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


Scene = Callable[[np.random.Generator, Sources, int], np.ndarray]
_SCENES: tuple[tuple[float, bool, Scene], ...] = (
    (0.47, False, _photograph),
    (0.11, False, _face),
    (0.03, False, _text),
    (0.02, False, _flat),
    (0.28, True, _drawing),
    (0.06, True, _text),
    (0.03, True, _flat),
)
"""Share, whether the drawings' teacher enlarges it, and what it shows; so below."""
_DRAWN_FILMS: tuple[tuple[float, bool, Scene], ...] = (
    (0.82, True, _drawing),
    (0.08, True, _text),
    (0.10, True, _flat),
)
KINDS = {"pictures": (_SCENES, (PHOTOGRAPHED, DRAWN)), "drawn-films": (_DRAWN_FILMS, ((), FILMED))}
"""What a set can be of: the scenes, and how photographs and drawings are worn."""


def window(sources: Sources, seed: int, number: int, side: int, kind: str = "pictures") -> tuple[np.ndarray, bool]:
    """Window ``number``: ``(side, side, 3) uint8``, worn, and whether it is a drawing.

    Args:
        kind: one of ``KINDS``.
    """
    scenes, wears = KINDS[kind]
    random = np.random.default_rng((seed, number))
    shares = np.array([share for share, _, _ in scenes])
    _, drawn, scene = scenes[int(random.choice(len(scenes), p=shares / shares.sum()))]
    rgb = scene(random, sources, side + 2 * MARGIN)
    if random.random() < TURNED_SHARE:
        rgb = turn_colors(random, rgb)
    rgb = worn(random, np.ascontiguousarray(np.rot90(rgb, int(random.integers(0, 4)))), wears[drawn])
    return np.ascontiguousarray(rgb[MARGIN:-MARGIN, MARGIN:-MARGIN]), drawn
