"""What the teachers make of worn pictures: the data that the quick networks learn from. One command, resumable:

    python -m training.teacher_set FOLDER --images PHOTOGRAPHS --photographs-teacher X4PLUS --drawings-teacher 6B

    python -m training.teacher_set FOLDER --kind drawn-films --images PHOTOGRAPHS --drawings-teacher ANIMEVIDEO

``FOLDER`` receives shards, each a ZIP of lossless PNG pairs, written whole or not at all; started again, the command
goes on where it stopped. A teacher is an ncnn ``.param`` (its ``.bin`` beside it), ``.pth`` or ``.safetensors`` file.
Window ``n`` follows from the seed and ``n`` alone. A window is 192x192 pixels and counts as nine patches of 64x64;
the teacher saw ``HALO`` pixels more on each side. ``--held-out`` makes a set of pictures that the others never show.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.scenes import KINDS, Sources, find_sources, window

SIDE = 192
HALO = 16
SCALE = 4
SHARD = 32
PATCHES_A_WINDOW = 9

Teacher = Callable[[np.ndarray], np.ndarray]
"""``(H, W, 3) uint8`` to ``(4H, 4W, 3) uint8``."""


def load_module(path: Path) -> Any:
    """A teacher in PyTorch: ``(N, 3, H, W)`` in 0..1 to ``(N, 3, 4H, 4W)``."""
    if path.suffix == ".param":
        from engine.models.ncnn import read_pair

        return read_pair(path).module()
    from spandrel import ModelLoader

    return ModelLoader(device="cpu").load_from_file(path).model.float().eval()


def openvino_teacher(path: Path, precision: str = "bf16") -> Teacher:
    """The network compiled for windows of one size, a request for each thread."""
    import torch

    from utils.openvino import openvino

    side = SIDE + 2 * HALO
    with torch.inference_mode():
        model = openvino.convert_model(
            load_module(path), example_input=torch.rand(1, 3, 32, 32), input=[openvino.PartialShape([1, 3, side, side])]
        )
    workers = os.cpu_count() or 1
    hints = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": workers, "INFERENCE_NUM_THREADS": workers}
    compiled = openvino.Core().compile_model(model, "CPU", hints)
    local = threading.local()

    def run(rgb: np.ndarray) -> np.ndarray:
        if not hasattr(local, "request"):
            local.request = compiled.create_infer_request()
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        enlarged = next(iter(local.request.infer([planes]).values()))[0]
        return np.clip(np.rint(enlarged.transpose(1, 2, 0) * 255), 0, 255).astype(np.uint8)

    return run


def cuda_teacher(path: Path) -> Teacher:
    """The network on a GPU, in half precision."""
    import torch

    network, lock = load_module(path).cuda().half().to(memory_format=torch.channels_last), threading.Lock()

    def run(rgb: np.ndarray) -> np.ndarray:
        with lock, torch.inference_mode():
            planes = torch.from_numpy(rgb).cuda().permute(2, 0, 1)[None].half() / 255
            enlarged = (network(planes)[0].float() * 255).round().clamp(0, 255).byte()
            return np.ascontiguousarray(enlarged.permute(1, 2, 0).cpu().numpy())

    return run


def make_pair(
    sources: Sources, teachers: dict[bool, Teacher], seed: int, number: int, kind: str = "pictures"
) -> tuple[np.ndarray, np.ndarray]:
    """Window ``number``: worn ``(192, 192, 3)`` and enlarged ``(768, 768, 3)``, uint8."""
    rgb, drawn = window(sources, seed, number, SIDE + 2 * HALO, kind)
    enlarged = teachers[drawn](rgb)
    far = HALO * SCALE
    return np.ascontiguousarray(rgb[HALO:-HALO, HALO:-HALO]), np.ascontiguousarray(enlarged[far:-far, far:-far])


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.zip"


def encode(pair: tuple[np.ndarray, np.ndarray]) -> tuple[bytes, bytes]:
    """Both pictures of a window as PNG files."""
    worn, enlarged = (
        cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes() for rgb in pair
    )
    return worn, enlarged


def write_shard(path: Path, first: int, pairs: list[tuple[bytes, bytes]]) -> None:
    """A ZIP of ``NUMBER-worn.png`` and ``NUMBER-enlarged.png``, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for place, pair in enumerate(pairs):
            for name, data in zip(("worn", "enlarged"), pair, strict=True):
                # A fixed date: the same windows give the same file.
                archive.writestr(zipfile.ZipInfo(f"{first + place:07d}-{name}.png"), data)
    os.replace(temporary, path)


def read_shard(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pairs of a shard, in their order."""

    def picture(archive: zipfile.ZipFile, name: str) -> np.ndarray:
        decoded = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        return np.ascontiguousarray(decoded[..., ::-1])

    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith("-worn.png"))
        return [(picture(archive, name), picture(archive, name.replace("-worn", "-enlarged"))) for name in names]


def make_set(
    folder: Path,
    sources: Sources,
    teachers: dict[bool, Teacher],
    patches: int,
    seed: int,
    kind: str = "pictures",
    taught_by: Sequence[str] = (),
) -> None:
    """Write the shards that are missing until there are ``patches``. A set made otherwise is refused.

    Args:
        kind: one of ``training.scenes.KINDS``.
        taught_by: what the teachers are called.

    Raises:
        SystemExit: ``folder`` holds a set that was made otherwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "seed": seed,
        "photographs": len(sources.pools.photographs),
        "drawings": sum(map(len, sources.pools.drawings.values())),
        "faces": len(sources.faces),
        "kind": kind,
        "taught_by": list(taught_by),
    }
    settings = folder / "set.json"
    if settings.exists() and json.loads(settings.read_text()) != made:
        raise SystemExit(
            f"'{folder}' holds a set made of other pictures or with another seed or teacher: choose another folder."
        )
    settings.write_text(json.dumps(made))
    missing = [
        number for number in range(-(-patches // (SHARD * PATCHES_A_WINDOW))) if not shard_path(folder, number).exists()
    ]
    begun, done = time.monotonic(), 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as executor:

        def started(number: int) -> list[Future[tuple[bytes, bytes]]]:
            windows = range(number * SHARD, (number + 1) * SHARD)
            return [executor.submit(lambda n: encode(make_pair(sources, teachers, seed, n, kind)), n) for n in windows]

        coming = started(missing[0]) if missing else []
        for number, following in zip(missing, [*missing[1:], None], strict=True):
            # The next shard's windows wait in line, so that no core does while this one ends.
            now, coming = coming, started(following) if following is not None else []
            try:
                write_shard(shard_path(folder, number), number * SHARD, [future.result() for future in now])
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise
            done += SHARD * PATCHES_A_WINDOW
            rate = done / (time.monotonic() - begun)
            print(f"{(number + 1) * SHARD * PATCHES_A_WINDOW} patches, {rate:.1f} a second", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--packages", type=Path, help="unpacked packages of content_sources.json")
    parser.add_argument("--kind", choices=tuple(KINDS), default="pictures", help="what the windows show")
    parser.add_argument("--photographs-teacher", type=Path, help="not needed for films of drawings")
    parser.add_argument("--drawings-teacher", type=Path, required=True)
    parser.add_argument("--face-detector", type=Path, help="YuNet's ONNX file: windows around faces")
    parser.add_argument("--patches", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    if options.photographs_teacher is None and not all(drawn for _, drawn, _ in KINDS[options.kind][0]):
        parser.error("--photographs-teacher is needed: photographs are among the windows.")
    cv2.setNumThreads(1)
    sources = find_sources(options.images, options.packages, options.face_detector, options.held_out)
    make = cuda_teacher if options.device == "cuda" else openvino_teacher
    teachers = {True: make(options.drawings_teacher)}
    if options.photographs_teacher is not None:
        teachers[False] = make(options.photographs_teacher)
    taught_by = [path.stem for path in (options.photographs_teacher, options.drawings_teacher) if path is not None]
    make_set(options.folder, sources, teachers, options.patches, options.seed, options.kind, taught_by)


if __name__ == "__main__":
    main()
