"""Surfaces of the still life: nodes of Blender's Cycles. Noise scales are per metre of the object's own room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy


class Surface:
    """A material whose nodes are made and joined by name."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]
        self.room = self.node("TexCoord").outputs
        self.set(**settings)

    def set(self, **settings: Any) -> None:
        """Inputs of the shader: ``base_color=...`` is "Base Color"; a value or another node's output."""
        names = {each.name.lower().replace(" ", "_"): each for each in self.shader.inputs}
        for name, value in settings.items():
            self.give(names[name], value)

    def give(self, socket: Any, value: Any) -> None:
        """Joins an output to an input, or sets its value; three numbers are an opaque colour."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif isinstance(value, tuple) and len(value) == 3 and len(socket.default_value) == 4:
            socket.default_value = (*value, 1)
        else:
            socket.default_value = value

    def node(self, kind: str, *given: Any, **settings: Any) -> Any:
        """A ``ShaderNode`` with its first inputs; upper-case settings are inputs, lower-case ones properties."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in settings.items():
            if name[0].isupper():
                self.give(node.inputs[name.replace("_", " ")], value)
            else:
                setattr(node, name, value)
        for socket, value in zip(node.inputs, given, strict=False):
            if value is not None:
                self.give(socket, value)
        return node

    def stretched(self, x: float = 1, y: float = 1, z: float = 1, shift: Any = None) -> Any:
        """The object's room, stretched."""
        start = self.room["Object"]
        if shift is not None:
            start = self.node("VectorMath", start, shift, operation="ADD").outputs[0]
        return self.node("Mapping", start, Scale=(x, y, z)).outputs[0]

    def noise(self, scale: float, detail: float = 4, rough: float = 0.55, at: Any = None, twist: float = 0) -> Any:
        """Noise about 0.5."""
        at = self.room["Object"] if at is None else at
        made = self.node("TexNoise", at, Scale=scale, Detail=detail, Roughness=rough, Distortion=twist)
        return made.outputs[0]

    def cells(self, scale: float, at: Any = None, **settings: Any) -> Any:
        """Distance to the nearest of scattered points."""
        at = self.room["Object"] if at is None else at
        return self.node("TexVoronoi", at, Scale=scale, **settings).outputs["Distance"]

    def ramp(self, value: Any, *stops: tuple[float, tuple[float, ...] | float]) -> Any:
        """A value turned into colours (or grays) by stops of (place, colour)."""
        node = self.node("ValToRGB", value)
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (place, colour) in zip(elements, stops, strict=True):
            element.position = place
            element.color = (*((colour,) * 3 if isinstance(colour, int | float) else colour), 1)
        return node.outputs[0]

    def mix(self, part: Any, first: Any, second: Any, how: str = "MIX") -> Any:
        """Two colours, mixed."""
        node = self.node("Mix", data_type="RGBA", blend_type=how)
        sockets = [each for each in node.inputs if each.enabled]
        for socket, value in zip(sockets, (part, first, second), strict=True):
            self.give(socket, value)
        return next(each for each in node.outputs if each.enabled)

    def sum(self, first: Any, second: Any, how: str = "ADD") -> Any:
        """Two numbers, reckoned together."""
        return self.node("Math", first, second, operation=how).outputs[0]

    def bump(self, height: Any, metres: float, strength: float = 1.0, under: Any = None) -> Any:
        """Relief; ``under`` is a relief below it."""
        node = self.node("Bump", Strength=strength, Distance=metres, Height=height)
        if under is not None:
            self.give(node.inputs["Normal"], under)
        self.set(normal=node.outputs[0])
        return node.outputs[0]

    def image(self, path: Path, at: Any = None) -> Any:
        """Colours of a file over the texture places."""
        node = self.node("TexImage", at)
        node.image = bpy.data.images.load(str(path))
        return node.outputs[0]

    def split(self, at: Any = None) -> Any:
        """x, y and z of the object's room."""
        return self.node("SeparateXYZ", self.room["Object"] if at is None else at).outputs

    def shines_through(self, colour: Any, part: float) -> None:
        """Thin like a leaf: a part of the light comes out behind."""
        clear = self.node("BsdfTranslucent", colour)
        both = self.node("MixShader", part, self.shader.outputs[0], clear.outputs[0])
        self.tree.links.new(both.outputs[0], self.tree.nodes["Material Output"].inputs["Surface"])


def wood() -> Any:
    """Oiled oak along x, each board another."""
    s = Surface("wood", coat_weight=0.12, coat_roughness=0.35)
    other = s.node("ObjectInfo").outputs["Random"]
    shift = s.node("CombineXYZ", s.sum(other, 7.3, "MULTIPLY"), s.sum(other, 3.1, "MULTIPLY"), other).outputs[0]
    at = s.stretched(1.1, 9, 9, shift)
    slow = s.noise(3.2, 3, 0.5, at, 0.8)
    rings = s.node("TexWave", at, wave_type="BANDS", bands_direction="Y", Scale=2.1, Distortion=9.0, Detail=3.0)
    rings = s.sum(rings.outputs["Factor"], s.sum(slow, 0.9, "MULTIPLY"))
    pores = s.noise(26, 3, 0.6, s.stretched(2.2, 42, 42, shift))
    dark, light = (0.105, 0.049, 0.021), (0.34, 0.185, 0.083)
    colour = s.ramp(s.sum(rings, 0.55, "MULTIPLY"), (0.12, dark), (0.42, (0.22, 0.112, 0.05)), (0.85, light))
    colour = s.mix(s.ramp(pores, (0.36, 1.0), (0.47, 0.0)), colour, (0.05, 0.022, 0.01))
    tint = s.ramp(other, (0.0, (0.8, 0.78, 0.76)), (1.0, (1.12, 1.08, 1.0)))
    colour = s.mix(1.0, colour, tint, "MULTIPLY")
    stain = s.ramp(s.noise(7, 5, 0.6), (0.35, 0.72), (0.6, 1.0))
    s.set(base_color=s.mix(1.0, colour, stain, "MULTIPLY"))
    s.set(roughness=s.ramp(s.noise(40, 4), (0.3, 0.34), (0.75, 0.6)))
    s.bump(s.sum(pores, s.sum(rings, 0.25, "MULTIPLY")), 0.0006, 0.7)
    return s.material


def plaster(colour: tuple[float, ...] = (0.66, 0.56, 0.44)) -> Any:
    """A lime-washed wall."""
    s = Surface("plaster", roughness=0.95)
    blotch = s.ramp(s.noise(3.1, 6, 0.62), (0.3, tuple(0.82 * c for c in colour)), (0.7, colour))
    s.set(base_color=blotch)
    s.bump(s.sum(s.noise(14, 8, 0.6), s.sum(s.noise(160, 3), 0.12, "MULTIPLY")), 0.012, 0.7)
    return s.material


def painted() -> Any:
    """White paint on a window frame, a little chipped."""
    s = Surface("painted", roughness=0.45, base_color=(0.74, 0.72, 0.67))
    s.bump(s.noise(90, 3), 0.0008, 0.4)
    return s.material


def glaze(body: tuple[float, ...], dip: tuple[float, ...], edge: float, foot: float, speckles: float = 900) -> Any:
    """Stoneware: ``dip`` runs down from the rim to height ``edge``; below ``foot`` the clay is bare."""
    s = Surface("glaze", coat_weight=0.25, coat_roughness=0.08)
    height = s.split()["Z"]
    wave = s.sum(s.noise(22, 3), 0.028, "MULTIPLY")
    run = s.node("MapRange", s.sum(height, wave), edge + 0.008, edge + 0.02).outputs[0]
    colour = s.mix(run, body, s.mix(s.noise(60, 5), dip, tuple(1.7 * c for c in dip)))
    dots = s.ramp(s.cells(speckles), (0.0, 1.0), (0.16, 1.0), (0.24, 0.0))
    dots = s.sum(dots, s.ramp(s.noise(150, 2), (0.5, 0.0), (0.62, 0.9)), "MULTIPLY")
    colour = s.mix(dots, colour, (0.075, 0.045, 0.028))
    bare = s.node("MapRange", s.sum(height, s.sum(s.noise(30, 2), 0.006, "MULTIPLY")), foot + 0.002, foot + 0.004)
    bare = bare.outputs[0]
    clay = s.mix(s.noise(400, 3), (0.26, 0.14, 0.075), (0.4, 0.24, 0.14))
    s.set(base_color=s.mix(bare, clay, colour), roughness=s.node("MapRange", bare, To_Min=0.8, To_Max=0.2).outputs[0])
    s.set(coat_weight=s.sum(bare, 0.3, "MULTIPLY"))
    rings = s.node("TexWave", s.stretched(0, 0, 1), bands_direction="Z", Scale=95, Distortion=0.6).outputs["Factor"]
    s.bump(s.sum(s.sum(rings, 0.5, "MULTIPLY"), s.noise(70, 3)), 0.0012, 0.45)
    return s.material


def apple_skin(ground: tuple[float, ...], blush: tuple[float, ...], seed: float) -> Any:
    """Streaks from pole to pole over a ground colour, with pale dots."""
    s = Surface("apple", roughness=0.3, coat_weight=0.25, coat_roughness=0.18, subsurface_weight=0.12)
    s.set(subsurface_radius=(0.02, 0.008, 0.004), subsurface_scale=0.3)
    x, y, z = s.split()
    flat = s.node("CombineXYZ", x, y, 0.0).outputs[0]
    round_ = s.node("VectorMath", flat, operation="NORMALIZE").outputs[0]
    rx, ry, _ = s.split(round_)
    streaks = s.noise(5.5, 6, 0.7, s.node("CombineXYZ", rx, ry, s.sum(z, 7.0, "MULTIPLY")).outputs[0])
    fine = s.noise(21, 4, 0.7, s.node("CombineXYZ", rx, ry, s.sum(z, 5.0, "MULTIPLY")).outputs[0])
    side = s.sum(s.sum(rx, 0.2, "MULTIPLY"), s.sum(s.sum(streaks, fine), 0.5, "MULTIPLY"))
    colour = s.mix(s.ramp(s.sum(side, seed), (0.36, 0.0), (0.62, 1.0)), ground, blush)
    colour = s.mix(s.ramp(fine, (0.45, 0.0), (0.7, 0.55)), colour, tuple(0.55 * c for c in blush))
    dots = s.ramp(s.cells(230), (0.0, 0.75), (0.1, 0.6), (0.17, 0.0))
    colour = s.mix(dots, colour, (0.75, 0.6, 0.33))
    pole = s.ramp(s.node("VectorMath", flat, operation="LENGTH").outputs["Value"], (0.004, 1.0), (0.013, 0.0))
    s.set(base_color=s.mix(pole, colour, (0.22, 0.2, 0.05)))
    s.set(roughness=s.ramp(s.noise(60, 5), (0.35, 0.25), (0.7, 0.42)))
    s.bump(s.noise(55, 4), 0.0016, 0.35)
    return s.material


def orange_peel() -> Any:
    """Pores and all."""
    s = Surface("orange", roughness=0.42, subsurface_weight=0.06, coat_weight=0.15, coat_roughness=0.25)
    s.set(subsurface_radius=(0.02, 0.008, 0.002), subsurface_scale=0.3)
    s.set(base_color=s.mix(s.noise(40, 4), (0.72, 0.19, 0.008), (0.86, 0.30, 0.02)))
    pores = s.ramp(s.cells(430), (0.0, 0.0), (0.35, 1.0))
    s.bump(s.sum(pores, s.sum(s.noise(60, 3), 2.5, "MULTIPLY")), 0.0016, 0.9)
    return s.material


def cherry_skin() -> Any:
    """Dark red and wet-looking."""
    s = Surface("cherry", roughness=0.12, subsurface_weight=0.1, subsurface_scale=0.1)
    s.set(
        base_color=s.mix(s.ramp(s.noise(60, 3), (0.35, 0.0), (0.7, 1.0)), (0.085, 0.003, 0.006), (0.32, 0.012, 0.014))
    )
    s.bump(s.noise(120, 3), 0.0006, 0.3)
    return s.material


def stalk(colour: tuple[float, ...]) -> Any:
    """Stems and wicks."""
    s = Surface("stalk", roughness=0.6)
    s.set(base_color=s.mix(s.noise(260, 3), tuple(0.6 * c for c in colour), tuple(1.3 * c for c in colour)))
    return s.material


def brass() -> Any:
    """Old brass: polished where hands come, brown elsewhere."""
    s = Surface("brass", metallic=1.0)
    worn = s.ramp(s.noise(34, 7, 0.65), (0.38, 0.0), (0.66, 1.0))
    s.set(base_color=s.mix(worn, (0.72, 0.46, 0.16), (0.30, 0.165, 0.06)))
    scratch = s.noise(300, 3, 0.6, s.stretched(1, 1, 9))
    s.set(roughness=s.sum(s.ramp(worn, (0, 0.13), (1, 0.42)), s.sum(scratch, 0.14, "MULTIPLY")))
    s.bump(s.sum(scratch, worn), 0.0003, 0.4)
    return s.material


def print_(path: Path, rough: float, coat: float, weave: float = 0) -> Any:
    """Something printed: paper on a tin, or the cloth of a book (``weave``: threads per metre)."""
    s = Surface("print", roughness=rough, coat_weight=coat, coat_roughness=0.22)
    dirt = s.ramp(s.noise(30, 6, 0.65), (0.3, 0.74), (0.6, 1.0))
    s.set(base_color=s.mix(1.0, s.image(path, s.room["UV"]), dirt, "MULTIPLY"))
    if weave:
        both = [s.node("TexWave", s.room["Object"], bands_direction=d, Scale=weave).outputs["Factor"] for d in "XZ"]
        s.bump(s.sum(*both), 0.0003, 0.5)
    else:
        s.bump(s.noise(50, 6), 0.0008, 0.3)
    return s.material


def pages() -> Any:
    """The edge of a book block."""
    s = Surface("pages", roughness=0.9)
    lines = s.noise(1400, 2, 0.5, s.stretched(0.01, 0.01, 1))
    colour = s.mix(lines, (0.42, 0.33, 0.2), (0.86, 0.78, 0.6))
    s.set(base_color=s.mix(1.0, colour, s.ramp(s.noise(20, 4), (0.3, 0.78), (0.65, 1.0)), "MULTIPLY"))
    s.bump(lines, 0.0008, 0.8)
    return s.material


def linen() -> Any:
    """Natural linen with blue stripes, the threads uneven."""
    s = Surface("linen", roughness=0.9, sheen_weight=0.25)
    u, v, _ = s.split(s.room["UV"])
    stripes = [(0.085, 0.028), (0.13, 0.006), (0.155, 0.006), (0.87, 0.006), (0.845, 0.006), (0.915, 0.028)]
    blue: Any = 0.0
    for place, half in stripes:
        inside = s.sum(s.sum(s.sum(v, place, "SUBTRACT"), 0.0, "ABSOLUTE"), half, "LESS_THAN")
        blue = s.sum(blue, inside, "MAXIMUM")
    warp = s.noise(1, 2, 0.5, s.node("Mapping", s.room["UV"], Scale=(330, 14, 1)).outputs[0])
    weft = s.noise(1, 2, 0.5, s.node("Mapping", s.room["UV"], Scale=(14, 260, 1)).outputs[0])
    threads = s.sum(warp, weft)
    pale = s.mix(s.ramp(threads, (0.7, 0.0), (1.25, 1.0)), (0.48, 0.41, 0.31), (0.82, 0.76, 0.65))
    dyed = s.mix(s.ramp(threads, (0.7, 0.0), (1.25, 1.0)), (0.045, 0.085, 0.19), (0.13, 0.2, 0.36))
    s.set(base_color=s.mix(blue, pale, dyed))
    s.bump(threads, 0.0012, 0.8)
    return s.material


def wax() -> Any:
    """A candle."""
    s = Surface("wax", roughness=0.4, base_color=(0.86, 0.8, 0.66), subsurface_weight=0.5)
    s.set(subsurface_radius=(0.03, 0.02, 0.01), subsurface_scale=0.4)
    s.bump(s.noise(60, 3), 0.002, 0.4)
    return s.material


def coffee() -> Any:
    """In a cup."""
    s = Surface("coffee", roughness=0.03, base_color=(0.018, 0.007, 0.003))
    return s.material


def petal() -> Any:
    """White, with fine lines from end to end."""
    s = Surface("petal", roughness=0.6)
    lines = s.noise(1, 2, 0.5, s.node("Mapping", s.room["UV"], Scale=(1.5, 26, 1)).outputs[0])
    u, _, _ = s.split(s.room["UV"])
    colour = s.mix(s.ramp(u, (0.0, 1.0), (0.3, 0.0)), (0.88, 0.88, 0.84), (0.72, 0.76, 0.5))
    colour = s.mix(1.0, colour, s.ramp(lines, (0.3, 0.84), (0.7, 1.0)), "MULTIPLY")
    s.set(base_color=colour)
    s.bump(lines, 0.0006, 0.5)
    s.shines_through(colour, 0.35)
    return s.material


def florets() -> Any:
    """The yellow of a daisy."""
    s = Surface("florets", roughness=0.7)
    s.set(base_color=s.mix(s.noise(300, 2), (0.55, 0.25, 0.005), (0.9, 0.56, 0.02)))
    return s.material


def leaf() -> Any:
    """Green, with a rib and veins."""
    s = Surface("leaf", roughness=0.42)
    u, v, _ = s.split(s.room["UV"])
    side = s.sum(s.sum(v, 0.5, "SUBTRACT"), 0.0, "ABSOLUTE")
    rib = s.ramp(side, (0.0, 1.0), (0.035, 0.0))
    slanted = s.node("CombineXYZ", s.sum(u, s.sum(side, 0.55, "MULTIPLY"), "SUBTRACT"), 0.0, 0.0).outputs[0]
    veins = s.node("TexWave", slanted, bands_direction="X", Scale=3.2, Distortion=0.4).outputs["Factor"]
    veins = s.sum(s.ramp(veins, (0.86, 0.0), (0.98, 0.6)), rib, "MAXIMUM")
    green = s.mix(s.noise(45, 4), (0.03, 0.085, 0.018), (0.085, 0.19, 0.035))
    colour = s.mix(veins, green, (0.2, 0.32, 0.1))
    s.set(base_color=colour)
    s.bump(s.sum(veins, -1.0, "MULTIPLY"), 0.0008, 0.6)
    s.shines_through(s.mix(0.5, colour, (0.3, 0.5, 0.05)), 0.35)
    return s.material


def foliage() -> Any:
    """Leaves of a garden far behind the focus."""
    s = Surface("foliage", roughness=0.35)
    colour = s.mix(s.ramp(s.noise(1.3, 3), (0.35, 0.0), (0.65, 1.0)), (0.03, 0.075, 0.018), (0.17, 0.24, 0.04))
    s.set(base_color=colour)
    s.shines_through(s.mix(0.5, colour, (0.32, 0.45, 0.04)), 0.45)
    return s.material


def sketch() -> Any:
    """A print in a frame, too far out of focus to be more than washes of green and ochre."""
    s = Surface("sketch", roughness=0.9)
    wash = s.ramp(s.noise(9, 3), (0.4, (0.16, 0.2, 0.12)), (0.52, (0.48, 0.42, 0.28)), (0.62, (0.66, 0.62, 0.5)))
    s.set(base_color=wash)
    return s.material


def plain(colour: tuple[float, ...], rough: float = 0.9) -> Any:
    """One colour."""
    return Surface("plain", base_color=colour, roughness=rough).material
