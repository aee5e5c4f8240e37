"""Meshes into Blender's scene, and the scene into a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from docs.samples.shapes import Mesh


def put(mesh: Mesh, material: Any, to: tuple[float, ...] = (0, 0, 0), turn: float = 0, lean: float = 0) -> Any:
    """A mesh into the scene, smooth; ``turn`` about z, ``lean`` about x, both in degrees."""
    data = bpy.data.meshes.new("mesh")
    data.from_pydata(mesh.points.tolist(), [], mesh.faces)
    data.polygons.foreach_set("use_smooth", np.ones(len(data.polygons), bool))
    if mesh.places is not None:
        corners = np.empty(len(data.loops), np.int32)
        data.loops.foreach_get("vertex_index", corners)
        data.uv_layers.new().data.foreach_set("uv", mesh.places[corners].astype(np.float32).ravel())
    data.materials.append(material)
    thing = bpy.data.objects.new("thing", data)
    thing.location, thing.rotation_euler = to, (math.radians(lean), 0, math.radians(turn))
    bpy.context.collection.objects.link(thing)
    return thing


def box(low: tuple[float, ...], high: tuple[float, ...], material: Any, round_: float = 0.003, **how: Any) -> Any:
    """A block between two corners, its edges rounded; its own origin is its middle."""
    low_, high_ = np.array(low), np.array(high)
    half, middle = (high_ - low_) / 2, (high_ + low_) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    thing = put(Mesh(signs * half, faces), material, tuple(middle), **how)
    thing.data.polygons.foreach_set("use_smooth", np.zeros(6, bool))
    if round_:
        edge = thing.modifiers.new("edge", "BEVEL")
        edge.width, edge.segments = round_, 3
    return thing


def render(path: Path, width: int, samples: int) -> None:
    """The scene as it stands into a PNG file of 3 : 2."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = samples, True
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.adaptive_threshold = 0.02
    scene.cycles.sample_clamp_indirect = 8
    scene.cycles.max_bounces, scene.cycles.diffuse_bounces = 7, 3
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.render.resolution_x, scene.render.resolution_y = width, width * 2 // 3
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - High Contrast"
    scene.render.use_persistent_data = True
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
