"""Putting restored faces back into the enhanced picture, while it streams by.

Only the *difference* between the restored and the present crop travels back, so a network that changes nothing changes
nothing, at any size and angle. What the picture holds beyond the crop's resolution stays where the restored face
agrees with it and goes where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.faces.align import CROP_SIDE, Alignment, crop_face, warp
from engine.faces.mask import face_mask
from engine.pixels.tiling import FULL_SCALE

TONE_SIGMA = 48.0
"""Standard deviation in crop pixels of what counts as tone and light; it is taken from the picture."""
_AGREEMENT_WINDOW = 9
_STRIP_PIXELS = 2**20
_GRAY_SIDE, _GRAY_TOLERANCE = 32, 8 / 255


@dataclass(frozen=True, eq=False)
class FacePatch:
    """One restored face and where it belongs.

    Attributes:
        number: as shown to the person, from 1.
        alignment: from the picture it is pasted into.
        landmarks: ``(5, 2)`` in crop pixels; they shape the mask.
        restored: ``(512, 512, 3) uint16`` in 0..65535, as the network gave it.
        strength: share of the restored face that the person wants, 0..1.
        allowed: share that the identity guard lets through, 0..1.
    """

    number: int
    alignment: Alignment
    landmarks: np.ndarray
    restored: np.ndarray = field(repr=False)
    strength: float = 1.0
    allowed: float = 1.0

    @property
    def shown(self) -> float:
        """Share of the restored face in the result."""
        return self.strength * self.allowed

    @property
    def decision(self) -> str:
        """What the identity guard made of it, in a word or two."""
        return "restored" if self.allowed == 1 else "put back" if self.allowed == 0 else "blended back"


@dataclass(frozen=True, eq=False)
class Cluster:
    """Faces whose surroundings overlap, with the picture as it was before any of them was pasted.

    Attributes:
        box: (left, top, right, bottom) in the picture.
        plain: ``(h, w, C) uint16`` in 0..65535.
    """

    box: tuple[int, int, int, int]
    plain: np.ndarray = field(repr=False)
    faces: tuple[FacePatch, ...]

    def render(self) -> np.ndarray:
        """``(h, w, C) uint16`` with the faces in it."""
        height, width, _ = self.plain.shape
        changes = [_Change(face, self) for face in self.faces if face.shown > 0]
        result = self.plain.copy()
        step = max(16, _STRIP_PIXELS // width)
        for top in range(0, height, step):
            strip = self.plain[top : top + step]
            total, covered = np.zeros(strip.shape, np.float32), np.zeros(strip.shape[:2], np.float32)
            for change in changes:
                change.add(strip, top, total, covered)
            # Where two faces' masks meet, neither gets more than the whole.
            total /= np.maximum(covered, 1.0)[..., None]
            result[top : top + step] = np.clip(np.rint(strip + total), 0, FULL_SCALE)
        return result


class _Change:
    """What has to be added to a cluster to show one restored face; computed in strips, since faces can be large."""

    def __init__(self, face: FacePatch, cluster: Cluster) -> None:
        left, top, _, _ = cluster.box
        local = face.alignment.moved(-left, -top)
        self._left, self._top, self._right, self._bottom = local.box(cluster.plain.shape[1::-1])
        self._back, self._strength = local.inverse, face.shown
        self._before = crop_face(cluster.plain, local)
        self._mask = face_mask(face.landmarks)
        restored = face.restored.astype(np.float32) / np.float32(FULL_SCALE)
        after = match_tone(as_channels(restored, self._before), self._before, self._mask)
        self._change = after - self._before
        self._agreement = agreement(self._before, after)

    def add(self, strip: np.ndarray, top: int, total: np.ndarray, covered: np.ndarray) -> None:
        """Add to ``total`` (0..65535) and to the sum of masks ``covered`` for ``strip``, whose first row is ``top``."""
        first, last = max(top, self._top), min(top + strip.shape[0], self._bottom)
        if first >= last or self._left >= self._right:
            return
        part = (slice(first - top, last - top), slice(self._left, self._right))
        size = (self._right - self._left, last - first)
        back = np.column_stack([self._back[:, :2], self._back[:, 2] - (self._left, first)])
        mask = warp(self._mask, back, size, reflect=False).clip(0, 1)
        change = warp(self._change, back, size)
        finer = strip[part] / np.float32(FULL_SCALE) - warp(self._before, back, size)
        change -= finer * (1 - warp(self._agreement, back, size).clip(0, 1))[..., None]
        total[part] += change * (mask * np.float32(FULL_SCALE * self._strength))[..., None]
        covered[part] += mask


def as_channels(restored: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The restored crop with the channels of the present one; gray where that is gray, in three channels too."""
    if not is_gray(before):
        return restored
    return np.repeat(restored.mean(axis=2, keepdims=True), before.shape[2], axis=2)


def is_gray(crop: np.ndarray) -> bool:
    """Whether an ``(H, W, C) float32`` crop in 0..1 has no colour beyond what noise and compression leave behind."""
    from utils.opencv import cv2

    if crop.shape[2] == 1:
        return True
    # Reduced, the colours of noise cancel out.
    small = cv2.resize(crop, (_GRAY_SIDE, _GRAY_SIDE), interpolation=cv2.INTER_AREA)
    return float(np.quantile(np.ptp(small, axis=2), 0.98)) < _GRAY_TOLERANCE


def match_tone(after: np.ndarray, before: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``after`` with the low frequencies of ``before``, weighed by the mask so that no background bleeds in.

    All arrays are 512 x 512; the crops ``(H, W, C) float32`` in 0..1.
    """
    from utils.opencv import cv2

    factor = 8
    side = CROP_SIDE // factor
    weight = cv2.resize(mask + 1e-3, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.resize(before - after, (side, side), interpolation=cv2.INTER_AREA).reshape(side, side, -1)
    sigma = TONE_SIGMA / factor
    blurred = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma).reshape(side, side, -1)
    tone = blurred / cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    full = cv2.resize(tone, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_LINEAR)
    return after + full.reshape(before.shape)


def agreement(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far the detail of one crop is found in the other: the slope of a local regression, 0..1, ``(512, 512)``.

    The same slope as in the guided filter (He et al., 2010). Equal crops give 1 everywhere.
    """
    from utils.opencv import cv2

    window = (_AGREEMENT_WINDOW, _AGREEMENT_WINDOW)
    a, b = before.mean(axis=2), after.mean(axis=2)
    mean_a, mean_b = cv2.blur(a, window), cv2.blur(b, window)
    variance = cv2.blur(a * a, window) - mean_a * mean_a
    common = cv2.blur(a * b, window) - mean_a * mean_b
    noise = np.float32(1e-5)
    slope: np.ndarray = np.clip((common + noise) / (variance + noise), 0, 1)
    return slope


def clusters_of(faces: Sequence[FacePatch], size: tuple[int, int]) -> list[tuple[tuple[int, int, int, int], list[int]]]:
    """(box, indices of faces) of every group of faces whose boxes overlap; by the box's bottom."""
    groups: list[tuple[tuple[int, int, int, int], list[int]]] = []
    for index, face in enumerate(faces):
        box, members = face.alignment.box(size), [index]
        if box[0] >= box[2] or box[1] >= box[3]:
            continue
        while touching := [group for group in groups if _overlap(group[0], box)]:
            for group in touching:
                groups.remove(group)
                box = _union(box, group[0])
                members = [*group[1], *members]
        groups.append((box, members))
    return sorted(groups, key=lambda group: group[0][3])


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _union(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


class FacePaster:
    """Pastes faces into a stream of bands.

    Args:
        faces: aligned to the picture that streams by.
        size: (width, height) of that picture.
        channels: how many channels of the bands are colour; a last one beyond them is alpha and is left alone.
        keep: remember every cluster, for blending again later (``engine.faces.layer``).
    """

    def __init__(
        self, faces: Sequence[FacePatch], size: tuple[int, int], *, channels: int = 3, keep: bool = False
    ) -> None:
        self._faces, self._channels, self._keep = tuple(faces), channels, keep
        self._groups = clusters_of(self._faces, size)
        self.clusters: list[Cluster] = []

    @classmethod
    def over(cls, clusters: Sequence[Cluster], *, channels: int = 3) -> FacePaster:
        """Pastes the faces of kept clusters again at their places, into other pixels; remembers those."""
        paster = cls((), (0, 0), channels=channels, keep=True)
        for cluster in sorted(clusters, key=lambda one: one.box[3]):
            first = len(paster._faces)
            paster._faces += cluster.faces
            paster._groups.append((cluster.box, list(range(first, len(paster._faces)))))
        return paster

    def bands(self, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The same ``(rows, W, channels[+1]) uint16`` bands with the faces in them; rows around a face wait for it."""
        waiting = list(self._groups)
        held: np.ndarray | None = None
        first = 0
        for band in bands:
            if not waiting and held is None:
                yield band
                continue
            held = band.copy() if held is None else np.concatenate([held, band])
            reached = first + held.shape[0]
            while waiting and waiting[0][0][3] <= reached:
                self._paste(held, first, *waiting.pop(0))
            ready = min([reached, *(max(first, box[1]) for box, _ in waiting)])
            if ready > first:
                yield held[: ready - first]
                held = held[ready - first :].copy() if ready < reached else None
                first = ready
        if held is not None:
            yield held

    def _paste(self, held: np.ndarray, first: int, box: tuple[int, int, int, int], members: list[int]) -> None:
        left, top, right, bottom = box
        region = held[top - first : bottom - first, left:right, : self._channels]
        cluster = Cluster(box, region.copy(), tuple(self._faces[index] for index in members))
        region[:] = cluster.render()
        if self._keep:
            self.clusters.append(cluster)


def with_strengths(cluster: Cluster, strengths: dict[int, float]) -> Cluster:
    """The cluster with other shares; faces that are not named keep theirs."""
    faces = (replace(face, strength=strengths.get(face.number, face.strength)) for face in cluster.faces)
    return replace(cluster, faces=tuple(faces))
