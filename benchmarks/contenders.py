"""The runners of a race, each in a process of its own: pixels in memory to pixels in memory, files left aside.

``python -m benchmarks.contenders NAME CHECKPOINT PICTURE.npy RESULT.npy RUNS`` prints one JSON object.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from utils.gpu import cpu_count, peak_memory_mb

Run = Callable[[np.ndarray], np.ndarray]
"""``(H, W, 3) uint8`` RGB to ``(sH, sW, 3) uint8``."""
TILE, OVERLAP = 256, 16


def network_of(checkpoint: Path) -> tuple[Any, Any]:
    """The torch network and its facts."""
    from engine.models import architectures, checkpoints

    return architectures.load_network(checkpoints.load_state_dict(checkpoint))


def _to_input(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32) / 255


def _to_pixels(output: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(output[0].transpose(1, 2, 0), 0, 1) * 255).astype(np.uint8)


def original(checkpoint: Path, cache: Path, *, tile: int = 0) -> Run:
    """``RealESRGANer`` as its script runs it on a CPU: fp32, and its default, no tiles."""
    import torch

    from engine.backends.original import build_network, import_originals
    from engine.models import checkpoints

    state = checkpoints.load_state_dict(checkpoint)
    plain = cache / "original.pth"
    torch.save({"params": state}, plain)
    with contextlib.redirect_stdout(io.StringIO()):
        upsampler = import_originals().RealESRGANer(
            4, str(plain), model=build_network(state, 4), tile=tile, pre_pad=0, device=torch.device("cpu")
        )

    def run(pixels: np.ndarray) -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()):
            return np.ascontiguousarray(upsampler.enhance(np.ascontiguousarray(pixels[..., ::-1]))[0][..., ::-1])

    return run


def original_tiled(checkpoint: Path, cache: Path) -> Run:
    """The same with its tiles, which people turn on when memory runs out."""
    return original(checkpoint, cache, tile=TILE)


def tile_loop(checkpoint: Path, cache: Path) -> Run:
    """spandrel's network in the loop that upscaling tools write around it: fixed tiles, overlap cut away."""
    import torch

    network, info = network_of(checkpoint)
    scale = info.scale

    def run(pixels: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[:2]
        result = np.empty((height * scale, width * scale, 3), np.uint8)
        with torch.inference_mode():
            for top in range(0, height, TILE):
                for left in range(0, width, TILE):
                    y, x = max(0, top - OVERLAP), max(0, left - OVERLAP)
                    bottom, right = min(height, top + TILE), min(width, left + TILE)
                    part = pixels[y : bottom + OVERLAP, x : right + OVERLAP]
                    output = _to_pixels(network(torch.from_numpy(_to_input(part))).numpy())
                    inner = output[(top - y) * scale :, (left - x) * scale :]
                    inner = inner[: (bottom - top) * scale, : (right - left) * scale]
                    result[top * scale : bottom * scale, left * scale : right * scale] = inner
        return result

    return run


def onnxruntime_cpu(checkpoint: Path, cache: Path) -> Run:
    """onnxruntime on the whole picture, fp32: its CPU provider has no bf16 convolutions."""
    import onnxruntime

    path = cache / f"{checkpoint.stem}.onnx"
    if not path.exists():
        import torch

        axes = {"input": {2: "h", 3: "w"}, "output": {2: "oh", 3: "ow"}}
        example = torch.rand(1, 3, 64, 64)
        network = network_of(checkpoint)[0]
        names: dict[str, Any] = {"input_names": ["input"], "output_names": ["output"], "dynamic_axes": axes}
        torch.onnx.export(network, (example,), str(path), dynamo=False, **names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cpu_count()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda pixels: _to_pixels(session.run(None, {"input": _to_input(pixels)})[0])


def ncnn_cpu(checkpoint: Path, cache: Path) -> Run:
    """ncnn on the whole picture, on the CPU, with its default options; weights in half precision, as published."""
    import ncnn

    from engine.models import checkpoints
    from engine.models.ncnn.writer import INPUT, OUTPUT, write_network

    param, weights = cache / f"{checkpoint.stem}.param", cache / f"{checkpoint.stem}.bin"
    if not param.exists():
        arrays = checkpoints.load_arrays(checkpoint)
        assert arrays is not None
        files = write_network(checkpoints.inspect_checkpoint(checkpoint), arrays, "fp16")
        weights.write_bytes(files.weights)
        param.write_text(files.param, "utf-8")
    net = ncnn.Net()
    net.opt.num_threads = cpu_count()
    if net.load_param(str(param)) or net.load_model(str(weights)):
        raise RuntimeError(f"ncnn could not load '{param}'")

    def run(pixels: np.ndarray) -> np.ndarray:
        planes = _to_input(pixels)[0]  # ncnn only looks at this memory: it must outlive the run
        extractor = net.create_extractor()
        extractor.input(INPUT, ncnn.Mat(planes))
        code, output = extractor.extract(OUTPUT)
        if code != 0:
            raise RuntimeError(f"ncnn failed with code {code}")
        return _to_pixels(np.array(output)[None])

    return run


def openvino_untiled(checkpoint: Path, cache: Path) -> Run:
    """OpenVINO on one tensor of the picture's exact size, in the number type it prefers: the limit for a CPU."""
    import torch

    from utils.openvino import openvino

    core = openvino.Core()
    model = openvino.convert_model(network_of(checkpoint)[0], example_input=torch.rand(1, 3, 64, 64))
    compiled: dict[tuple[int, ...], Any] = {}

    def run(pixels: np.ndarray) -> np.ndarray:
        tensor = _to_input(pixels)
        if tensor.shape not in compiled:
            model.reshape(openvino.PartialShape(list(tensor.shape)))
            compiled[tensor.shape] = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
        return _to_pixels(compiled[tensor.shape](tensor)[0])

    return run


def engine(checkpoint: Path, cache: Path, **how: Any) -> Run:
    """This engine as it chooses for itself: backend, number type and tiles."""
    from engine.imaging.upscaler import Upscaler
    from engine.model_manager import ModelManager
    from engine.pixels.resample import from_full_scale
    from engine.pixels.tiling import MemoryBudget
    from utils.gpu import available_host_memory

    manager = ModelManager({}, checkpoint.parent, cache_dir=cache / "engine", bundled_dir=None)
    model = manager.load_model(checkpoint.stem, **how)

    def run(pixels: np.ndarray) -> np.ndarray:
        upscaler = Upscaler(model.session, model.info, budget=MemoryBudget(available_host_memory()))
        bands = upscaler.bands(pixels, upscaler.plan(pixels.shape[1], pixels.shape[0]))
        return np.concatenate([from_full_scale(band, 8) for band in bands])

    return run


def engine_fp32(checkpoint: Path, cache: Path) -> Run:
    """This engine held to fp32."""
    return engine(checkpoint, cache, fp32=True)


CONTENDERS: dict[str, Callable[[Path, Path], Run]] = {
    "this engine": engine,
    "this engine, fp32": engine_fp32,
    "openvino, one tensor": openvino_untiled,
    "onnxruntime": onnxruntime_cpu,
    "ncnn": ncnn_cpu,
    "spandrel + tile loop": tile_loop,
    "original, tiles": original_tiled,
    "original": original,
}
KEEPING = ("this engine", "this engine, fp32", "onnxruntime", "ncnn")
"""Those that convert a network once and keep the result on disk."""
REFERENCE = "original"
"""Whose pixels (fp32, untiled) the others are held against."""


def main(name: str, checkpoint: str, picture: str, result: str, runs: str) -> None:
    """One contender on one picture; prints seconds to start, for the first and for later runs, and peak memory."""
    warnings.simplefilter("ignore")
    pixels = np.load(picture)
    started = time.perf_counter()
    run = CONTENDERS[name](Path(checkpoint), Path(checkpoint).parent / "cache")
    ready = time.perf_counter()
    if int(runs) < 0:  # only the caches were wanted
        return
    output = run(pixels)
    first = time.perf_counter()
    seconds = []
    for _ in range(int(runs)):
        begun = time.perf_counter()
        run(pixels)
        seconds.append(time.perf_counter() - begun)
    np.save(result, output)
    figures = {"start": ready - started, "first": first - ready, "seconds": seconds, "peak_mb": peak_memory_mb()}
    print("\n" + json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
