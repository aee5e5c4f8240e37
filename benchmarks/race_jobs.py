"""Two more races against the original packages: seconds a face, and frames a second of a film."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.contenders import original
from benchmarks.networks import photograph
from benchmarks.video import engine as enhance_film
from benchmarks.video import write_clip
from engine.model_manager import ModelManager


def least_seconds(action: Callable[[], Any], runs: int) -> float:
    """The least time of several runs, after one that loads and compiles."""
    action()
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def faces(folder: Path, runs: int = 2, device: str = "cpu") -> dict[str, float]:
    """Seconds an aligned face of 512 pixels takes in ``GFPGANer`` and here: the published shape, fixed-seed weights."""
    import torch

    from engine.backends.original import import_originals
    from engine.faces.run_network import FaceRun
    from engine.types import EnhanceSettings

    import_originals()
    from gfpgan import GFPGANer
    from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean

    torch.manual_seed(5)
    network = GFPGANv1Clean(
        out_size=512,
        num_style_feat=512,
        channel_multiplier=2,
        fix_decoder=False,
        num_mlp=8,
        input_is_latent=True,
        different_w=True,
        narrow=1,
        sft_half=True,
    ).eval()
    (folder / "faces").mkdir()
    torch.save({"params_ema": network.state_dict()}, folder / "faces" / "face.pth")
    crop = photograph(512, 512)
    helper = SimpleNamespace(cropped_faces=[], restored_faces=[], clean_all=lambda: None)
    helper.add_restored_face = helper.restored_faces.append
    restorer = object.__new__(GFPGANer)  # with weights of its own it would download its detector
    restorer.device, restorer.face_helper, restorer.gfpgan = torch.device(device), helper, network.to(device)
    mirrored = np.ascontiguousarray(crop[..., ::-1])
    theirs = least_seconds(lambda: restorer.enhance(mirrored, has_aligned=True), runs)
    manager = ModelManager({}, folder / "faces", cache_dir=folder / "cache" / "engine", bundled_dir=None)
    run = FaceRun(manager, "face", EnhanceSettings.create(face_enhance=True, device=device))
    values = crop.astype(np.float32) / 255
    ours = least_seconds(lambda: list(run.restore([values])), runs)
    manager.close()
    return {"original": theirs, "engine": ours}


def film(checkpoint: Path, folder: Path, frames: int = 12, width: int = 160, height: int = 120) -> dict[str, float]:
    """Frames a second of a clip, files to files: the original's way, one frame after the other, and this engine."""
    import av

    source = write_clip(folder / "clip.mp4", frames, width, height)
    upscale = original(checkpoint, folder)
    upscale(photograph(height, width))
    begun = time.perf_counter()
    with av.open(str(source)) as read, av.open(str(folder / "theirs.mp4"), "w") as written:
        stream: Any = written.add_stream("libx264", rate=24, options={"crf": "18", "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = 4 * width, 4 * height, "yuv420p"
        for frame in read.decode(video=0):
            made = av.VideoFrame.from_ndarray(upscale(frame.to_ndarray(format="rgb24")), format="rgb24")
            made.pts, made.time_base = frame.pts, frame.time_base
            written.mux(stream.encode(made))
        written.mux(stream.encode(None))
    theirs = frames / (time.perf_counter() - begun)
    manager = ModelManager({}, checkpoint.parent, cache_dir=folder / "cache" / "engine", bundled_dir=None)
    warm = write_clip(folder / "warm.mp4", 2, width, height)
    enhance_film(checkpoint.stem, manager, warm, folder / "warm-out.mp4", "h264", "auto")
    ours = enhance_film(checkpoint.stem, manager, source, folder / "ours.mp4", "h264", "auto").fps
    manager.close()
    return {"original": theirs, "engine": ours}


def lines(face: dict[str, float], clip: dict[str, float]) -> list[str]:
    """A Markdown table of both."""
    result = ["", "| job | original | this engine | ratio |", "|---|---|---|---|"]
    if face:
        result.append(
            f"| one face, GFPGAN | {face['original']:.2f} s | {face['engine']:.2f} s "
            f"| {face['original'] / face['engine']:.1f}x |"
        )
    if clip:
        result.append(
            f"| film, compact-16, x4, 160x120 | {clip['original']:.2f} frames/s | {clip['engine']:.2f} frames/s "
            f"| {clip['engine'] / clip['original']:.1f}x |"
        )
    return result if face or clip else []
