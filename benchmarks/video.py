"""Video: how busy the network is, and frames a second against the plain loop. Run: ``python -m benchmarks.video``.

The plain loop is what scripts do, the original project's among them: decode a frame, run it through the network in
fp32, encode it, next. Both run on the same clip with the same encoder settings.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import photograph, write_compact, write_rrdbnet
from config import Config
from engine.model_manager import ModelManager
from engine.models import architectures, checkpoints
from engine.types import EnhanceSettings
from engine.video import VideoOptions, enhance_video
from utils.gpu import cpu_features, cpu_name, peak_memory_mb

NETWORKS = {"compact-16": write_compact, "rrdbnet-23": write_rrdbnet}
_ENCODERS = {"h264": "libx264", "h265": "libx265", "av1": "libsvtav1"}
_PRESETS = {"h264": "medium", "h265": "fast", "av1": "8"}
_CRF = {"h264": "18", "h265": "20", "av1": "27"}


@dataclass(frozen=True)
class Measured:
    """Frames a second, the share of the time in which the network ran, and the number type that it ran in."""

    fps: float
    share: float
    precision: str = "fp32"


def write_clip(path: Path, frames: int, width: int, height: int) -> Path:
    """A panning scene with fine texture and noise, H.264, 24 frames a second."""
    import av

    scene = photograph(height + 64, width + 2 * frames + 8)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=24, options={"crf": "20", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            part = scene[number % 64 : number % 64 + height, 2 * number : 2 * number + width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(part), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 24)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def plain_loop(network: Any, device: str, source: Path, target: Path, codec: str) -> Measured:
    """One thread, one frame after the other, fp32."""
    import av
    import torch

    count, inside = 0, 0.0
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream: Any = None
        started = time.perf_counter()
        for frame in read.decode(video=0):
            pixels = frame.to_ndarray(format="rgb24").astype(np.float32) / 255
            begun = time.perf_counter()
            with torch.no_grad():
                tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].to(device)
                output = network(tensor)[0].clamp_(0, 1).float().cpu().numpy()
            inside += time.perf_counter() - begun
            enlarged = (output.transpose(1, 2, 0) * 255).round().astype(np.uint8)
            if stream is None:
                options = {"crf": _CRF[codec], "preset": _PRESETS[codec]}
                if codec == "h265":
                    options["x265-params"] = "log-level=none"
                stream = written.add_stream(_ENCODERS[codec], rate=24, options=options)
                stream.height, stream.width, stream.pix_fmt = *enlarged.shape[:2], "yuv420p"
            made = av.VideoFrame.from_ndarray(np.ascontiguousarray(enlarged), format="rgb24")
            made.pts, made.time_base = frame.pts, frame.time_base
            written.mux(stream.encode(made))
            count += 1
        written.mux(stream.encode(None))
        seconds = time.perf_counter() - started
    return Measured(count / seconds, inside / seconds)


def engine(
    name: str, manager: ModelManager, source: Path, target: Path, codec: str, device: str, **settings: Any
) -> Measured:
    """The same by the engine; settings, colour matching among them, as people get them."""
    result = enhance_video(
        source,
        target,
        EnhanceSettings.create(model=name, device=device, **settings),
        VideoOptions.create(codec=codec, resume=False, skip_duplicates=False),
        manager=manager,
        config=Config(),
        overwrite=True,
    )
    return Measured(result.fps, result.network_share, result.precision)


def run(
    name: str, frames: int, width: int, height: int, device: str, codecs: list[str], clip: Path | None, skip_plain: bool
) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checkpoint = NETWORKS[name](folder / f"{name}.pth")
        source = clip or write_clip(folder / "in.mp4", frames, width, height)
        manager = ModelManager({}, folder, cache_dir=folder / "cache", bundled_dir=None)
        target = manager.resolve_device(device)
        warm = write_clip(folder / "warm.mp4", 2, width, height)
        engine(name, manager, warm, folder / "warm_out.mp4", "h264", device)
        session = manager.load_model(name, device=device).session
        print(f"{cpu_name()} ({', '.join(sorted(cpu_features()))}); device {target}; {name}, x4, {source.name}")
        print("| way | codec | frames a second | ratio | network busy |")
        print("|---|---|---|---|---|", flush=True)
        plain: Measured | None = None
        for codec in codecs:
            if not skip_plain:
                network = architectures.load_network(checkpoints.load_state_dict(checkpoint))[0].to(target)
                plain = plain_loop(network, target, source, folder / f"plain-{codec}.mp4", codec)
                del network
                print(
                    f"| plain loop, torch fp32 | {codec} | {plain.fps:.3f} | 1.0 | {_percent(plain.share)} |",
                    flush=True,
                )
            ours = engine(name, manager, source, folder / f"engine-{codec}.mp4", codec, device)
            ratio = f"{ours.fps / plain.fps:.1f} times" if plain else ""
            way = f"this engine, {session.backend} {session.precision}"
            print(f"| {way} | {codec} | {ours.fps:.3f} | {ratio} | {_percent(ours.share)} |", flush=True)
        print(f"Peak memory of the whole process: {peak_memory_mb():.0f} MB.")
        manager.close()


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, default="compact-16")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--codecs", default="h264,h265")
    parser.add_argument("--clip", type=Path, help="a video of your own instead of the generated one")
    parser.add_argument("--skip-plain", action="store_true", help="only the engine")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    run(
        options.network,
        options.frames,
        width,
        height,
        options.device,
        options.codecs.split(","),
        options.clip,
        options.skip_plain,
    )


if __name__ == "__main__":
    main()
