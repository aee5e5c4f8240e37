"""Meshes of the still life as numbers: what is turned on a lathe, swept along a path, or grown. Lengths are metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass
class Mesh:
    """Corners ``(n, 3)``, faces of three or four corner numbers, and texture places ``(n, 2)`` or None."""

    points: np.ndarray
    faces: list[tuple[int, ...]]
    places: np.ndarray | None = None


def curve(points: list[tuple[float, ...]], count: int) -> np.ndarray:
    """``count`` points ``(count, k)`` on a smooth line (Catmull-Rom) through those given."""
    given = np.asarray(points, float)
    ends = np.concatenate([[2 * given[0] - given[1]], given, [2 * given[-1] - given[-2]]])
    at = np.linspace(0, len(given) - 1 - 1e-9, count)
    i, t = at.astype(int), (at % 1)[:, None]
    a, b, c, d = ends[i], ends[i + 1], ends[i + 2], ends[i + 3]
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def grid_faces(rows: int, columns: int, closed: bool = False) -> list[tuple[int, ...]]:
    """Squares between ``rows`` x ``columns`` points in rows; ``closed``: the last column meets the first."""
    faces = []
    for row in range(rows - 1):
        for column in range(columns if closed else columns - 1):
            right = (column + 1) % columns
            low, high = row * columns, (row + 1) * columns
            faces.append((low + column, low + right, high + right, high + column))
    return faces


def lathe(profile: list[tuple[float, float]], rings: int = 96, around: int = 96) -> Mesh:
    """What turning a line of (radius, height) gives. A radius of 0 closes it."""
    line = curve(profile, rings)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    radius = np.maximum(line[:, :1], 0)
    points = np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), np.broadcast_to(line[:, 1:], (rings, around))], axis=-1
    )
    return Mesh(points.reshape(-1, 3), grid_faces(rings, around, closed=True))


def tube(path: np.ndarray, radius: np.ndarray | float, around: int = 10, flat: float = 1.0) -> Mesh:
    """A hose along ``path`` ``(n, 3)``; ``flat`` squeezes it across."""
    path = np.asarray(path, float)
    wide = np.broadcast_to(np.asarray(radius, float), (len(path),))
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-12
    up = np.array([0.0, 0.0, 1.0]) if abs(ahead[:, 2]).mean() < 0.8 else np.array([0.0, 1.0, 0.0])
    side = np.cross(ahead, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-12
    over = np.cross(side, ahead)
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ring = side[:, None] * np.cos(angle)[None, :, None] * flat + over[:, None] * np.sin(angle)[None, :, None]
    points = path[:, None] + ring * wide[:, None, None]
    return Mesh(points.reshape(-1, 3), grid_faces(len(path), around, closed=True))


def blade(length: float, width: float, bend: float, fold: float, notch: float = 0.0, rows: int = 14) -> Mesh:
    """A leaf or petal from the origin along +x: pointed unless ``notch``, bent down and folded about its middle."""
    along = np.linspace(0, 1, rows)
    across = np.linspace(-1, 1, 7)
    outline = np.sin(np.pi * np.clip(along, 0.02, 1) ** (0.55 if notch else 0.8)) ** (0.55 if notch else 0.85)
    if notch:
        outline = np.minimum(1, 0.35 + 2.2 * along) * np.sqrt(np.clip(1 - ((along - 0.42) / 0.585) ** 4, 0.02, 1))
    half = outline * width / 2
    x = np.broadcast_to(along[:, None], (rows, 7)) * length
    x = x - notch * length * (along[:, None] > 0.95) * np.abs(np.cos(across * np.pi))[None]
    y = half[:, None] * across[None]
    z = fold * np.abs(y) - bend * length * along[:, None] ** 2 + 0.04 * width * np.cos(across * 2 * np.pi)[None]
    points = np.stack([x, y, np.broadcast_to(z, x.shape)], axis=-1).reshape(-1, 3)
    places = np.stack([np.broadcast_to(along[:, None], x.shape), np.broadcast_to(across[None] / 2 + 0.5, x.shape)], -1)
    return Mesh(points, grid_faces(rows, 7), places.reshape(-1, 2))


def turned(mesh: Mesh, roll: float = 0, pitch: float = 0, yaw: float = 0, to: tuple[float, ...] = (0, 0, 0)) -> Mesh:
    """Turned about x, y and z in this order (radians), then moved."""
    points = mesh.points
    for axis, angle in ((0, roll), (1, pitch), (2, yaw)):
        c, s = math.cos(angle), math.sin(angle)
        matrix = {0: [[1, 0, 0], [0, c, -s], [0, s, c]], 1: [[c, 0, s], [0, 1, 0], [-s, 0, c]]}.get(
            axis, [[c, -s, 0], [s, c, 0], [0, 0, 1]]
        )
        points = points @ np.array(matrix).T
    return Mesh(points + np.asarray(to), mesh.faces, mesh.places)


def joined(meshes: list[Mesh]) -> Mesh:
    """All of them as one."""
    faces: list[tuple[int, ...]] = []
    start = 0
    for mesh in meshes:
        faces += [tuple(start + corner for corner in face) for face in mesh.faces]
        start += len(mesh.points)
    places = [mesh.places if mesh.places is not None else np.zeros((len(mesh.points), 2)) for mesh in meshes]
    return Mesh(np.concatenate([mesh.points for mesh in meshes]), faces, np.concatenate(places))


def ball(radius: float, detail: int = 12) -> Mesh:
    """A sphere."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, detail)
    return lathe([(radius * math.cos(a), radius * math.sin(a)) for a in angle], detail, detail + 4)


def orange(radius: float) -> Mesh:
    """Not quite round, with a navel at its top; its foot at height 0."""
    profile = [(0, 0.9), (0.06, 0.9), (0.14, 0.925), (0.4, 0.88), (0.75, 0.66), (0.98, 0.2), (0.98, -0.2)]
    mesh = lathe([*profile, (0.76, -0.64), (0.42, -0.88), (0.1, -0.95), (0, -0.95)], 80, 120)
    angle = np.arctan2(mesh.points[:, 1], mesh.points[:, 0])
    mesh.points[:, :2] *= (1 + 0.012 * np.cos(2 * angle + 1) + 0.008 * np.cos(5 * angle))[:, None]
    return Mesh((mesh.points + (0, 0, 0.95)) * radius, mesh.faces)


def apple(radius: float, seed: int) -> Mesh:
    """A little lopsided, with five faint ribs; its foot at height 0."""
    profile = [(0.0, 0.74), (0.1, 0.78), (0.24, 0.95), (0.5, 1.03), (0.8, 0.92), (0.98, 0.55), (0.97, 0.15)]
    profile += [(0.83, -0.3), (0.58, -0.66), (0.33, -0.79), (0.16, -0.76), (0.0, -0.66)]
    mesh = lathe(profile, 72, 96)
    angle = np.arctan2(mesh.points[:, 1], mesh.points[:, 0])
    low = np.clip(0.4 - mesh.points[:, 2], 0, 1)
    random = np.random.default_rng(seed)
    mesh.points[:, :2] *= (1 + 0.03 * low * np.cos(5 * angle) + 0.03 * np.cos(angle + 6 * random.random()))[:, None]
    mesh.points[:, 2] += 0.05 * mesh.points[:, 0] + 0.8
    return Mesh(mesh.points * radius, mesh.faces)


def daisy(radius: float, random: np.random.Generator) -> tuple[Mesh, Mesh]:
    """Petals in two rows, and the disc of florets, opening towards +z."""
    petals = []
    count = 17 + int(random.integers(0, 4))
    for layer in range(2):
        for number in range(count):
            angle = (number + 0.5 * layer) * 2 * np.pi / count + random.normal(0, 0.06)
            droop = 0.10 + 0.16 * random.random() + 0.08 * layer
            one = blade(radius * (0.84 + 0.14 * random.random()), radius * 0.27, droop, 0.25 - 0.1 * layer, 0.045)
            one = turned(one, roll=random.normal(0, 0.22), pitch=-0.10 + random.normal(0, 0.08), yaw=angle)
            petals.append(turned(one, to=(0, 0, -0.006 * radius * layer)))
    florets = []
    for number in range(190):
        spread = math.sqrt((number + 0.5) / 190)
        angle = number * 2.39996
        x, y = (0.3 * radius * spread * f(angle) for f in (math.cos, math.sin))
        dot = ball(radius * (0.019 + 0.008 * spread), 5)
        florets.append(turned(dot, to=(x, y, radius * (0.12 - 0.1 * spread**2 + 0.02 * random.random()))))
    base = lathe([(0, 0.1), (0.15, 0.085), (0.27, 0.03), (0.29, -0.02), (0.1, -0.09), (0, -0.1)], 16, 24)
    return joined(petals), joined([*florets, Mesh(base.points * radius, base.faces)])


def cloth(width: float, depth: float, random: np.random.Generator, fineness: float = 0.0022) -> Mesh:
    """A towel lying with soft folds, its middle at the origin; texture places run 0..1 over it."""
    columns, rows = int(width / fineness), int(depth / fineness)
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    x, y = (u - 0.5) * width, (v - 0.5) * depth
    z = np.zeros_like(x)
    for _ in range(5):
        angle, phase = random.normal(0.5, 0.35), random.random() * 6
        across = x * math.cos(angle) + y * math.sin(angle)
        along = -x * math.sin(angle) + y * math.cos(angle)
        centre = random.uniform(-0.11, 0.11)
        bent = across - centre + 0.018 * np.sin(along * 21 + phase)
        z += (
            0.011 * random.uniform(0.5, 1.0) * np.exp(-((bent / 0.009) ** 2)) * (0.6 + 0.4 * np.sin(along * 16 + phase))
        )
    for _ in range(7):
        a, b, phase = random.normal(0, 38), random.normal(0, 38), random.random() * 6
        z += 0.0007 * np.sin(a * x + b * y + phase)
    points = np.stack([x + 0.004 * np.sin(y * 40), y + 0.003 * np.sin(x * 33), np.maximum(z, 0) + 0.0015], -1)
    return Mesh(points.reshape(-1, 3), grid_faces(rows, columns), np.stack([u, v], -1).reshape(-1, 2))


def fringe(mesh: Mesh, random: np.random.Generator) -> Mesh:
    """Threads that hang out of the first and the last row of a cloth."""
    threads = []
    front = mesh.points[np.isclose(mesh.places[:, 1], 0)]
    for at in range(0, len(front), 2):
        start = front[at]
        lean, far = random.normal(0, 0.0035), random.uniform(0.011, 0.016)
        path = curve(
            [start + (0, 0.003, 0), start + (0.3 * lean, -0.5 * far, 0.0012), start + (lean, -far, -0.0005)], 7
        )
        threads.append(tube(path, np.linspace(0.0006, 0.00035, 7), 5))
    return joined(threads)


def hedge(random: np.random.Generator, count: int = 7000) -> Mesh:
    """Leaves on rounded bushes some metres behind a window, one quad each."""
    bushes = [(-2.9, 5.0, 0.2, 1.1), (-1.5, 6.2, 0.9, 1.5), (-0.3, 5.2, -0.1, 0.9), (0.6, 6.6, 0.6, 1.4)]
    bushes += [(-4.2, 7.0, 1.3, 1.7), (1.9, 6.0, 0.2, 1.2)]
    which = random.integers(0, len(bushes), count)
    middle = np.array([bush[:3] for bush in bushes])[which]
    reach = np.array([bush[3] for bush in bushes])[which]
    towards = random.normal(size=(count, 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    centre = middle + towards * (reach * random.uniform(0.8, 1.05, count))[:, None] * (1, 1, 1.15)
    long = random.normal(size=(count, 3))
    long *= (random.uniform(0.04, 0.08, count) / np.linalg.norm(long, axis=1))[:, None]
    wide = np.cross(long, random.normal(size=(count, 3)))
    wide *= (0.03 / (np.linalg.norm(wide, axis=1) + 1e-9))[:, None]
    corners = np.stack([centre - long, centre - wide, centre + long, centre + wide], axis=1).reshape(-1, 3)
    return Mesh(corners, [tuple(range(4 * n, 4 * n + 4)) for n in range(count)])
