"""Faces before and after on one page, to look at.

    python -m benchmarks.face_page FOLDER --out page.png [--model NAME]

The faces of a folder's pictures are made small and worn, then the pictures are enlarged and the faces pasted in:

- "true face": the truth as the network's answer, so all that is seen of it is alignment, tone and paste;
- the face model, or, where none is installed, a stand-in with RANDOM WEIGHTS, which draws nothing like a face: with the
  identity guard off, to see the shape of what is pasted, and with it on, to see that it is put back.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.face_material import WornFace, detector, true_faces, wear
from benchmarks.faces import write_gfpgan
from benchmarks.quality import enlarge
from benchmarks.side_by_side import page
from config import Config
from engine.faces.align import crop_face
from engine.faces.guard import compare
from engine.faces.landmarks import landmarks_in_crop
from engine.faces.paste import FacePaster, FacePatch
from engine.faces.run_network import FaceRun
from engine.model_manager import ModelManager
from engine.pixels.resample import from_full_scale, to_full_scale
from engine.types import EnhanceSettings


def pasted(
    worn: WornFace, enlarged: np.ndarray, restored: np.ndarray, landmarks: np.ndarray, share: float
) -> np.ndarray:
    """The enlarged picture with a restored face, ``(512, 512, 3) uint16``, in it."""
    across, down = enlarged.shape[1] / worn.pixels.shape[1], enlarged.shape[0] / worn.pixels.shape[0]
    patch = FacePatch(1, worn.alignment.scaled(across, down), landmarks, restored, 1.0, share)
    paster = FacePaster([patch], (enlarged.shape[1], enlarged.shape[0]))
    return from_full_scale(np.concatenate(list(paster.bands(iter([to_full_scale(enlarged)])))), 8)


def around(worn: WornFace, picture: np.ndarray) -> np.ndarray:
    """The face upright with its surroundings, ``(512, 512, 3) uint8``."""
    across, down = picture.shape[1] / worn.pixels.shape[1], picture.shape[0] / worn.pixels.shape[0]
    return np.rint(crop_face(picture, worn.alignment.scaled(across, down)) * 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", help="an installed face model; random weights by default")
    parser.add_argument("--upscaler", default="embedded-compact-x4")
    parser.add_argument("--height", type=int, default=64, help="of the worn faces, in pixels")
    parser.add_argument("--rows", type=int, default=6)
    options = parser.parse_args()
    find, random = detector(), np.random.default_rng(0)
    manager = ModelManager.from_config(Config())
    rows = []
    with tempfile.TemporaryDirectory() as name:
        faces, label = manager, options.model
        if label is None:
            folder = Path(name)
            write_gfpgan(folder / "random.safetensors")
            faces = ModelManager({}, folder, cache_dir=None, bundled_dir=None, optimize=False, device="cpu")
        settings = EnhanceSettings.create(face_enhance=True, backend="torch", precision="fp32")
        run = FaceRun(faces, label or "random", settings)
        title = label or "STAND-IN, random weights"
        known = true_faces(options.folder, find)
        for index in np.linspace(0, len(known) - 1, min(options.rows, len(known))).astype(int):
            worn = wear(known[index], options.height, find, random)
            landmarks = None if worn is None else landmarks_in_crop(worn.crop, find.look)
            if worn is None or landmarks is None:
                continue
            enlarged = enlarge(manager, options.upscaler, worn.pixels)
            (restored,) = run.restore([worn.crop])
            verdict = compare(worn.crop, restored.astype(np.float32) / 65535, worn.alignment.scale, find.look)
            truth = np.rint(worn.truth * 65535).astype(np.uint16)
            columns = [
                (f"worn, {options.height} pixels high", worn.pixels),
                (options.upscaler, enlarged),
                ("true face pasted in", pasted(worn, enlarged, truth, landmarks, 1.0)),
                (f"{title}, guard off", pasted(worn, enlarged, restored, landmarks, 1.0)),
                (
                    f"{title}, guard on ({verdict.share:.0%})",
                    pasted(worn, enlarged, restored, landmarks, verdict.share),
                ),
            ]
            row = [(text, around(worn, picture)) for text, picture in columns]
            rows.append([*row, ("truth", np.rint(worn.truth * 255).astype(np.uint8))])
    manager.close()
    page(rows).save(options.out)
    print(f"{options.out}: {len(rows)} faces")


if __name__ == "__main__":
    main()
