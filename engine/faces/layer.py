"""The faces of a finished picture, kept beside its hash, so that their strength can be changed without a new run."""

from __future__ import annotations

import json
import logging
import os
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from engine.faces.align import Alignment
from engine.faces.paste import Cluster, FacePatch
from engine.pixels.resample import from_full_scale, to_full_scale
from utils.errors import OutputError
from utils.files import prune, replaced, sha256_of
from utils.json_types import JsonObject
from utils.picture import Picture
from utils.writers import SaveOptions

logger = logging.getLogger(__name__)

KEPT_LAYER_BYTES = 512 * 10**6
"""What all layers together may take; the oldest go first."""
_FOLDER = "faces"
_REVISION = 1


@dataclass(frozen=True, eq=False)
class FaceLayer:
    """What was pasted into a picture.

    Attributes:
        size: (width, height) of the picture.
        clusters: in pixels of the picture.
        save: how the picture was written; an adjusted one is written the same way.
        rows: the metrics' row of every face.
    """

    size: tuple[int, int]
    clusters: tuple[Cluster, ...]
    save: SaveOptions
    rows: tuple[JsonObject, ...] = ()

    @property
    def faces(self) -> tuple[FacePatch, ...]:
        """The restored faces, by number."""
        return tuple(sorted((face for one in self.clusters for face in one.faces), key=lambda face: face.number))

    def with_strengths(self, strengths: Mapping[int, float], *, guard: bool = True) -> FaceLayer:
        """The layer with other strengths, by face number; ``guard`` False shows what the guard held back."""
        clusters = []
        for cluster in self.clusters:
            faces = [replace(face, strength=strengths.get(face.number, face.strength)) for face in cluster.faces]
            if not guard:
                faces = [replace(face, allowed=1.0) if face.number in strengths else face for face in faces]
            clusters.append(replace(cluster, faces=tuple(faces)))
        return replace(self, clusters=tuple(clusters))

    def lifted(self, picture: Picture) -> Picture:
        """The picture as it was before any of these faces was pasted."""
        return self.with_strengths({face.number: 0.0 for face in self.faces}).apply(picture)

    def apply(self, picture: Picture) -> Picture:
        """The picture with the faces of this layer in place of those it has."""
        pixels = picture.pixels.copy()
        for cluster in self.clusters:
            left, top, right, bottom = cluster.box
            pixels[top:bottom, left:right] = from_full_scale(cluster.render(), picture.bit_depth)
        return Picture(pixels, picture.alpha, picture.metadata)


def layer_path(cache_dir: Path, digest: str) -> Path:
    """Where the layer of a picture file of that SHA-256 is kept."""
    return Path(cache_dir) / _FOLDER / f"{digest[:40]}.faces"


def save_layer(layer: FaceLayer, picture_file: Path, cache_dir: Path, bit_depth: int) -> Path:
    """Keep a layer for a picture file, at the file's bit depth.

    Raises:
        OSError: the cache cannot be written.
    """
    from utils.opencv import cv2

    path = layer_path(cache_dir, sha256_of(picture_file))
    path.parent.mkdir(parents=True, exist_ok=True)
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    with replaced(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for index, cluster in enumerate(layer.clusters):
            plain = from_full_scale(cluster.plain, bit_depth)
            archive.writestr(f"plain-{index}.png", cv2.imencode(".png", plain, fast)[1].tobytes())
            for face in cluster.faces:
                archive.writestr(f"face-{face.number}.png", cv2.imencode(".png", face.restored, fast)[1].tobytes())
        archive.writestr("layer.json", json.dumps(_to_json(layer)))
    prune(path.parent, "*.faces", KEPT_LAYER_BYTES, keep=path)
    return path


def keep_layer(layer: FaceLayer, picture_file: Path, cache_dir: Path, bit_depth: int) -> None:
    """``save_layer`` where the picture counts for more than its layer."""
    try:
        save_layer(layer, picture_file, cache_dir, bit_depth)
    except (OSError, OutputError) as error:
        logger.info("The faces of '%s' cannot be adjusted later: %s", picture_file, error)


def load_layer(picture_file: Path, cache_dir: Path) -> FaceLayer | None:
    """The layer kept for a picture file, whatever its name; None when there is none or it cannot be used."""
    path = layer_path(cache_dir, sha256_of(picture_file))
    try:
        with zipfile.ZipFile(path) as archive:
            layer = _from_archive(archive)
        os.utime(path, (time.time(), time.time()))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError):
        return None
    return layer


def _to_json(layer: FaceLayer) -> JsonObject:
    return {
        "revision": _REVISION,
        "size": layer.size,
        "save": asdict(layer.save),
        "rows": [dict(row) for row in layer.rows],
        "clusters": [
            {
                "box": cluster.box,
                "faces": [
                    {
                        "number": face.number,
                        "matrix": face.alignment.matrix.tolist(),
                        "landmarks": np.asarray(face.landmarks, np.float64).tolist(),
                        "strength": face.strength,
                        "allowed": face.allowed,
                    }
                    for face in cluster.faces
                ],
            }
            for cluster in layer.clusters
        ],
    }


def _from_archive(archive: zipfile.ZipFile) -> FaceLayer:
    facts = json.loads(archive.read("layer.json"))
    if facts["revision"] != _REVISION:
        raise ValueError("another revision")
    clusters = []
    for index, one in enumerate(facts["clusters"]):
        faces = tuple(
            FacePatch(
                face["number"],
                Alignment(np.array(face["matrix"])),
                np.array(face["landmarks"]),
                _pixels(archive, f"face-{face['number']}.png"),
                face["strength"],
                face["allowed"],
            )
            for face in one["faces"]
        )
        left, top, right, bottom = one["box"]
        clusters.append(
            Cluster((left, top, right, bottom), to_full_scale(_pixels(archive, f"plain-{index}.png")), faces)
        )
    width, height = facts["size"]
    return FaceLayer((width, height), tuple(clusters), SaveOptions(**facts["save"]), tuple(facts["rows"]))


def _pixels(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    from utils.opencv import cv2

    decoded = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError(f"{name} is damaged")
    return decoded if decoded.ndim == 3 else decoded[..., None]
