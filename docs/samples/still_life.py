"""The photograph and the film among the samples, rendered: things on a table by a window.

``python -m docs.samples.still_life FOLDER [--film]`` with Blender as a module
(``pip install bpy pillow`` into an environment of its own, Python 3.11); the program itself does not need it. Writes
``FOLDER/still-life.png``, or with ``--film`` ``FOLDER/film-00.png`` and so on. Lengths are metres, the table's top lies
at height 0, the camera looks along +y.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from docs.samples import materials, prints, shapes
from docs.samples.blender import box, put, render
from docs.samples.shapes import Mesh, blade, curve, joined, lathe, tube, turned

FRAMES = 24


def room() -> None:
    """Table, walls, windows, and a garden."""
    oak = materials.wood()
    for board in range(11):
        y = -0.62 + 0.106 * board
        box((-0.95, y, -0.035), (1.1, y + 0.1045, 0), oak, 0.0022)
    wall, white = materials.plaster(), materials.painted()
    dim = materials.plain((0.42, 0.38, 0.33))
    back = 0.78
    for low, high in (
        ((-0.13, back, -0.8), (2.0, back + 0.2, 2.3)),
        ((-1.5, back, -0.8), (-0.13, back + 0.2, 0.02)),
        ((-1.5, back, 1.3), (-0.13, back + 0.2, 2.3)),
    ):
        box(low, high, wall, 0.006)
    for x in (-0.13, -0.56, -0.99):
        box((x - 0.024, back + 0.06, 0.02), (x + 0.024, back + 0.11, 1.3), white)
    for z in (0.045, 0.44, 0.86):
        box((-1.0, back + 0.065, z - 0.018), (-0.13, back + 0.105, z + 0.018), white)
    box((-1.1, back - 0.05, -0.02), (-0.09, back + 0.2, 0.022), white, 0.006)
    for low, high in (
        ((-1.5, -3, -0.8), (-1.3, -0.75, 2.3)),
        ((-1.5, 0.62, -0.8), (-1.3, back, 2.3)),
        ((-1.5, -0.75, -0.8), (-1.3, 0.62, 0.05)),
        ((-1.5, -3, 2.2), (2.0, back, 2.3)),
        ((1.9, -3, -0.8), (2.0, back, 2.3)),
        ((-1.5, -3.1, -0.8), (2.0, -3, 2.3)),
        ((-1.5, -3, -0.85), (2.0, back, -0.8)),
    ):
        box(low, high, dim, 0)
    for y in (-0.3, 0.16):
        box((-1.42, y - 0.02, 0.05), (-1.38, y + 0.02, 2.2), white)
    for z in (0.5, 1.05, 1.6):
        box((-1.42, -0.75, z - 0.015), (-1.38, 0.62, z + 0.015), white)
    box((0.12, back - 0.022, 0.255), (0.40, back - 0.001, 0.62), materials.stalk((0.06, 0.032, 0.016)), 0.004)
    box((0.14, back - 0.024, 0.275), (0.38, back - 0.018, 0.60), materials.plain((0.62, 0.56, 0.44)), 0)
    box((0.185, back - 0.0245, 0.325), (0.335, back - 0.0235, 0.55), materials.sketch(), 0)
    box((-12, 1.2, -1.3), (12, 30, -1.2), materials.plain((0.10, 0.15, 0.035)), 0)
    put(shapes.hedge(np.random.default_rng(2)), materials.foliage())


def jug_of_daisies(random: np.random.Generator) -> None:
    """A jug of speckled stoneware with flowers and leaves."""
    profile = [(0.0, 0.0), (0.036, 0.0), (0.040, 0.004), (0.056, 0.04), (0.059, 0.075), (0.047, 0.115), (0.034, 0.138)]
    profile += [
        (0.035, 0.153),
        (0.0405, 0.164),
        (0.039, 0.1655),
        (0.0345, 0.155),
        (0.031, 0.138),
        (0.05, 0.08),
        (0, 0.02),
    ]
    body = lathe(profile, 150, 120)
    lip = np.clip((body.points[:, 2] - 0.13) / 0.035, 0, 1) * np.exp(
        -((np.arctan2(body.points[:, 1], -body.points[:, 0]) / 0.42) ** 2)
    )
    body.points[:, 0] -= 0.017 * lip
    handle = curve([(0.036, 0, 0.15), (0.062, 0, 0.152), (0.088, 0, 0.125), (0.086, 0, 0.085), (0.056, 0, 0.055)], 40)
    whole = joined([body, tube(handle, np.linspace(0.0075, 0.0055, 40), 16, 1.5)])
    at = np.array((-0.165, 0.10, 0.0))
    put(whole, materials.glaze((0.72, 0.67, 0.56), (0.16, 0.22, 0.27), 0.118, 0.012), tuple(at), 18)
    petal, yellow, stem, green = (
        materials.petal(),
        materials.florets(),
        materials.stalk((0.1, 0.2, 0.04)),
        materials.leaf(),
    )
    heads = [
        (-0.075, -0.045, 0.245),
        (-0.005, -0.06, 0.262),
        (0.06, -0.035, 0.236),
        (-0.05, 0.0, 0.308),
        (0.035, 0.0, 0.312),
    ]
    heads += [
        (0.09, 0.02, 0.29),
        (-0.11, 0.02, 0.29),
        (-0.01, -0.045, 0.205),
        (-0.005, 0.05, 0.335),
        (-0.06, 0.05, 0.265),
    ]
    petals, discs, stems, leaves = [], [], [], []
    for x, y, z in heads:
        out = np.array([x, y - 0.055, 0.085 + 0.02 * random.random()])
        head = np.array([x, y, z])
        pitch, yaw = math.atan2(math.hypot(out[0], out[1]), out[2]), math.atan2(out[1], out[0])
        flower = shapes.daisy(0.031 + 0.005 * random.random(), random)
        for part, into in zip(flower, (petals, discs), strict=True):
            into.append(turned(part, 0, pitch, yaw, tuple(head)))
        foot = np.array([0.012 * random.normal(), 0.012 * random.normal(), 0.12])
        neck = head - out / np.linalg.norm(out) * 0.03
        stems.append(tube(curve([foot, foot + (x * 0.15, y * 0.15, 0.06), neck, head - out * 0.02], 24), 0.0014, 8))
    for _ in range(26):
        angle, height = random.uniform(0, 2 * math.pi), random.uniform(0.165, 0.255)
        reach = random.uniform(0.012, 0.045)
        if math.sin(angle) < -0.2:
            height, reach = 0.17 + 0.02 * random.random(), 0.03  # none in front of the flowers
        one = blade(random.uniform(0.045, 0.075), random.uniform(0.014, 0.022), random.uniform(0.1, 0.5), 0.25)
        start = (reach * math.cos(angle), reach * math.sin(angle), height)
        leaves.append(turned(one, random.normal(0, 0.4), -random.uniform(0.0, 0.8), angle, start))
        stems.append(tube(curve([(0, 0, 0.12), (start[0] * 0.5, start[1] * 0.5, height - 0.03), start], 12), 0.001, 6))
    for meshes, material in ((petals, petal), (discs, yellow), (stems, stem), (leaves, green)):
        put(joined(meshes), material, tuple(at))
    fallen = [((-0.075, 0.035), 40), ((-0.20, -0.005), 160), ((-0.255, 0.045), 260), ((-0.01, 0.045), 300)]
    for (x, y), turn in fallen:
        put(turned(blade(0.027, 0.0085, 0.12, 0.3, 0.045), math.pi), petal, (x, y, 0.0035), turn)


def tin(folder: Path) -> None:
    """A tea tin with a printed label."""
    prints.tin_label(folder / "tin.png")
    radius, height = 0.043, 0.112
    body = lathe([(radius, 0.004), (radius, 0.03), (radius, 0.08), (radius, height - 0.006)], 24, 160)
    angle = np.arctan2(body.points[:, 1], body.points[:, 0])
    # The middle of the label looks at the camera, and the seam away from it.
    body.places = np.stack([((angle + np.pi / 2) / (2 * np.pi) + 0.5) % 1.0, body.points[:, 2] / height], axis=-1)
    columns = body.points[:160]
    first = int(np.argmin(body.places[:160, 0]))
    order = np.r_[first : first + 161] % 160
    rings = body.points.reshape(24, 160, 3)[:, order]
    places = body.places.reshape(24, 160, 2)[:, order].copy()
    places[:, -1, 0] = 1.0
    assert len(columns) == 160
    wrapped = Mesh(rings.reshape(-1, 3), shapes.grid_faces(24, 161), places.reshape(-1, 2))
    to, turn = (0.022, 0.105, 0.0), -9
    put(wrapped, materials.print_(folder / "tin.png", 0.38, 0.35), to, turn)
    gold = materials.brass()
    r = radius
    foot = [(0, 0), (r - 0.001, 0), (r + 0.0012, 0.0012), (r + 0.0012, 0.0045), (r - 0.001, 0.006), (0, 0.006)]
    put(lathe(foot, 40, 120), gold, to)
    lid = [(r - 0.002, 0), (r + 0.0006, 0), (r + 0.0016, 0.0012), (r + 0.0016, 0.013), (r + 0.0004, 0.0155)]
    lid += [
        (r - 0.004, 0.0162),
        (r - 0.006, 0.0148),
        (r - 0.02, 0.0165),
        (0.008, 0.0175),
        (0.0055, 0.021),
        (0.0075, 0.026),
    ]
    put(lathe([*lid, (0.0062, 0.030), (0.0, 0.0308)], 120, 120), gold, (*to[:2], height - 0.007))


def book(folder: Path, title: str, cover: tuple[int, ...], size: tuple[float, ...], to, turn: float) -> None:
    """A book lying with its back to the camera; ``size``: along its back, deep, thick."""
    long, deep, thick = size
    file = folder / f"book-{title}.png"
    prints.spine(file, title, cover, (214, 172, 92))
    cloth = materials.print_(file, 0.62, 0.05, 700)
    arc = np.linspace(-1, 1, 25)
    section = np.stack([-0.5 * deep - 0.006 * (1 - arc**2), 0.5 * thick * (arc + 1)], axis=-1)
    x = np.linspace(-0.5, 0.5, 40) * long
    points = np.array([[(a, y, z) for a in x] for y, z in section]).reshape(-1, 3)
    places = np.array([[(u, v) for u in np.linspace(0, 1, 40)] for v in np.linspace(0, 1, 25)]).reshape(-1, 2)
    put(Mesh(points, shapes.grid_faces(25, 40), places), cloth, to, turn)
    for z in (0, thick - 0.003):
        board = box((-long / 2, -deep / 2, z), (long / 2, deep / 2, z + 0.003), cloth, 0.0008)
        board.location = (to[0], to[1], to[2] + z + 0.0015)
        board.rotation_euler[2] = math.radians(turn)
        uv = board.data.uv_layers.new()
        uv.data.foreach_set("uv", np.tile(np.float32([0.02, 0.5]), len(board.data.loops)))
    block = box(
        (-long / 2 + 0.004, -deep / 2, 0.003), (long / 2 - 0.004, deep / 2 - 0.005, thick - 0.003), materials.pages(), 0
    )
    block.location = (to[0], to[1], to[2] + thick / 2)
    block.rotation_euler[2] = math.radians(turn)


def fruit(random: np.random.Generator) -> None:
    """Apples, an orange and cherries."""
    red = materials.apple_skin((0.55, 0.42, 0.09), (0.36, 0.028, 0.018), 0.12)
    green = materials.apple_skin((0.38, 0.42, 0.06), (0.42, 0.10, 0.03), -0.10)
    brown = materials.stalk((0.12, 0.07, 0.03))
    for material, radius, seed, to, turn, lean in (
        (red, 0.036, 1, (0.286, -0.052, 0.0), 30, 6),
        (green, 0.034, 2, (0.175, 0.105, 0.0565), 200, -9),
    ):
        put(shapes.apple(radius, seed), material, to, turn, lean)
        path = curve([(0, 0, 1.5), (0.02, 0.03, 1.75), (0.10, 0.05, 2.02)], 14) * radius
        put(tube(path, np.linspace(0.0011, 0.0018, 14), 8), brown, to, turn, lean)
    leaf = turned(blade(0.05, 0.026, 0.35, 0.3), 0.2, -0.35, 0)
    put(leaf, materials.leaf(), (0.288, -0.047, 0.064), 195)
    put(shapes.orange(0.036), materials.orange_peel(), (-0.272, 0.035, 0), 40, 25)
    button = lathe([(0, 0.002), (0.002, 0.0022), (0.0034, 0.001), (0.0036, -0.001)], 12, 10)
    put(button, materials.stalk((0.2, 0.22, 0.05)), (-0.2725, 0.0335, 0.0662), 0, 5)
    skin, stem = materials.cherry_skin(), materials.stalk((0.16, 0.2, 0.04))
    profile = [(0, 0.72), (0.12, 0.78), (0.4, 0.93), (0.8, 0.72), (1.0, 0.1), (0.86, -0.5), (0.45, -0.87), (0, -0.95)]
    for x, y, tall in (
        (0.055, -0.135, 0.045),
        (0.083, -0.15, 0.05),
        (0.067, -0.108, 0.04),
        (0.02, -0.155, 0.05),
        (0.205, -0.125, 0.04),
    ):
        cherry = lathe(profile, 40, 40)
        turn, r = random.uniform(0, 360), 0.0115
        put(
            Mesh(cherry.points * r + (0, 0, 0.95 * r), cherry.faces), skin, (x, y, 0.001), turn, random.uniform(-14, 14)
        )
        a = math.radians(turn)
        end = np.array([x + tall * 0.75 * math.cos(a), y + tall * 0.75 * math.sin(a), 0.028])
        path = curve([(x, y, 0.019), (x + 0.2 * (end[0] - x), y + 0.2 * (end[1] - y), 0.031), end], 20)
        put(tube(path, np.r_[np.full(16, 0.0006), np.linspace(0.0007, 0.0014, 4)], 8), stem)


def cup(random: np.random.Generator) -> None:
    """A cup of coffee on a folded cloth."""
    towel = shapes.cloth(0.30, 0.20, random)
    fabric = materials.linen()
    put(towel, fabric, (-0.12, -0.105, 0.0), 14)
    put(shapes.fringe(towel, random), materials.stalk((0.62, 0.55, 0.43)), (-0.12, -0.105, 0.0), 14)
    profile = [(0, 0.0), (0.022, 0.0), (0.025, 0.003), (0.036, 0.016), (0.041, 0.035), (0.041, 0.056), (0.0425, 0.069)]
    profile += [(0.0418, 0.0705), (0.0398, 0.069), (0.038, 0.055), (0.037, 0.035), (0.03, 0.014), (0, 0.01)]
    handle = curve([(0.039, 0, 0.056), (0.058, 0, 0.060), (0.067, 0, 0.044), (0.058, 0, 0.024), (0.036, 0, 0.019)], 40)
    whole = joined([lathe(profile, 150, 120), tube(handle, np.linspace(0.0055, 0.0042, 40), 16, 1.5)])
    to = (-0.095, -0.075, 0.0035)
    put(whole, materials.glaze((0.05, 0.16, 0.17), (0.30, 0.17, 0.075), 0.056, 0.009, 700), to, 205)
    surface = lathe([(0, 0.058), (0.02, 0.058), (0.0375, 0.0583), (0.0384, 0.0592)], 20, 80)
    put(surface, materials.coffee(), to)


def candlestick() -> None:
    """Brass, with a candle burnt a little."""
    line = [(0, 0.0), (0.046, 0.0), (0.047, 0.003), (0.04, 0.009), (0.022, 0.014), (0.011, 0.022), (0.0085, 0.034)]
    line += [
        (0.014, 0.043),
        (0.015, 0.048),
        (0.008, 0.056),
        (0.0065, 0.085),
        (0.0095, 0.108),
        (0.016, 0.118),
        (0.0165, 0.123),
    ]
    line += [(0.0115, 0.128), (0.0115, 0.148), (0.019, 0.153), (0.0195, 0.156), (0.0118, 0.157), (0, 0.15)]
    to = (0.295, 0.19, 0.0)
    put(lathe(line, 300, 120), materials.brass(), to)
    candle = [(0.0108, 0.15), (0.0108, 0.2), (0.0105, 0.27), (0.0092, 0.275), (0.006, 0.2725), (0, 0.272)]
    put(lathe(candle, 60, 60), materials.wax(), to)
    put(
        tube(curve([(0, 0, 0.272), (0.001, 0, 0.279), (0.004, 0, 0.284)], 8), 0.0009, 8),
        materials.plain((0.01, 0.01, 0.01)),
        to,
    )


def light() -> None:
    """A morning: the sun through the left window, the sky, and some light from the room."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    sky = world.node_tree.nodes.new("ShaderNodeTexSky")
    sky.sky_type, sky.sun_disc = "MULTIPLE_SCATTERING", False
    sky.sun_elevation, sky.sun_rotation = math.radians(30), math.radians(-75)
    background = world.node_tree.nodes["Background"]
    world.node_tree.links.new(sky.outputs[0], background.inputs["Color"])
    background.inputs["Strength"].default_value = 0.42

    def lamp(
        kind: str, place: tuple[float, ...], towards: tuple[float, ...], energy: float, colour, **how: Any
    ) -> None:
        data = bpy.data.lights.new(kind, kind)
        data.energy, data.color = energy, colour
        for name, value in how.items():
            setattr(data, name, value)
        thing = bpy.data.objects.new(kind, data)
        thing.location = place
        thing.rotation_euler = (Vector(towards) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        bpy.context.collection.objects.link(thing)

    lamp("SUN", (-0.85, 0.25, 0.50), (0, 0, 0), 13.0, (1.0, 0.84, 0.64), angle=math.radians(0.7))
    for middle, towards, wide, high in (
        ((-1.31, -0.07, 1.12), (0, -0.07, 1.12), 1.37, 2.1),
        ((-0.56, 0.79, 0.66), (-0.56, 0, 0.66), 0.9, 1.28),
    ):
        lamp("AREA", middle, towards, 1.0, (1, 1, 1), shape="RECTANGLE", size=wide, size_y=high)
        portal = bpy.context.collection.objects[-1].data
        portal.cycles.is_portal = True
    lamp("AREA", (0.9, -1.7, 1.3), (0, 0, 0.1), 8.0, (1.0, 0.90, 0.78), shape="RECTANGLE", size=1.4, size_y=1.1)


def camera() -> Callable[[float], None]:
    """A lens of 60 mm at f/2.8; the answer moves it to a moment 0..1 of the film."""
    data = bpy.data.cameras.new("camera")
    thing = bpy.data.objects.new("camera", data)
    bpy.context.collection.objects.link(thing)
    bpy.context.scene.camera = thing
    data.lens, data.sensor_width = 58, 36
    data.dof.use_dof = True
    data.dof.aperture_fstop, data.dof.aperture_blades = 3.2, 7

    def moved(moment: float) -> None:
        place = Vector((0.14 - 0.30 * (moment - 0.5), -1.06 + 0.10 * (moment - 0.5), 0.375 + 0.03 * (moment - 0.5)))
        towards = Vector((0.012, 0.03, 0.128))
        thing.location = place
        thing.rotation_euler = (towards - place).to_track_quat("-Z", "Y").to_euler()
        data.dof.focus_distance = (Vector((0.03, 0.045, 0.08)) - place).length

    return moved


def build(folder: Path) -> Callable[[float], None]:
    """The whole scene; ``folder`` takes the printed pictures. Answers what ``camera`` does."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    random = np.random.default_rng(11)
    room()
    jug_of_daisies(random)
    tin(folder)
    book(folder, "TIDES", (96, 26, 24), (0.205, 0.14, 0.033), (0.185, 0.115, 0), 4)
    book(folder, "", (28, 46, 66), (0.18, 0.12, 0.023), (0.178, 0.112, 0.0335), -5)
    fruit(random)
    cup(random)
    candlestick()
    light()
    return camera()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--film", action="store_true")
    parser.add_argument("--width", type=int, help="of the pictures; 960, of a film 240")
    parser.add_argument("--samples", type=int, help="for each pixel; 72, of a film 12")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    width, samples = options.width or (240 if options.film else 960), options.samples or (12 if options.film else 72)
    with tempfile.TemporaryDirectory() as prints_folder:
        move = build(Path(prints_folder))
        for number in range(FRAMES) if options.film else [None]:
            move(0.5 if number is None else number / (FRAMES - 1))
            name = "still-life.png" if number is None else f"film-{number:02d}.png"
            render(options.folder / name, width, samples)


if __name__ == "__main__":
    main()
