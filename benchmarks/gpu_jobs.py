"""What ``benchmarks.gpu`` measures, each job in a process of its own: ``python -m benchmarks.gpu_jobs NAME DEVICE``.

A job prints one JSON object a line as it goes, so that a job which is stopped has still said what it found out.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import race_jobs
from benchmarks.networks import photograph, write_published
from config import Config
from engine.backends.loaded import LoadedModel
from engine.backends.torch_backend import TorchSession
from engine.imaging.upscaler import Upscaler
from engine.model_manager import ModelManager
from engine.pixels.resample import from_full_scale
from engine.pixels.tiling import MemoryBudget

Line = dict[str, Any]
NETWORKS = ("RealESRGAN_x4plus", "RealESRGAN_x4plus_anime_6B", "realesr-animevideov3", "quick-x4")
SIDES, FEW_SIDES = (256, 512, 1024, 2048), (64, 96)
THEIR_TILE, THEIR_PAD = 512, 10
LONG = 25.0
"""Seconds that one run may be expected to take; what would take longer is left out and said."""


class Device:
    """One device of PyTorch: how to wait for it, and what memory it has."""

    def __init__(self, name: str) -> None:
        import torch

        self.torch, self.name = torch, name
        self.is_cuda = name.startswith("cuda")

    def wait(self) -> None:
        """Until everything that was asked of it is done."""
        if self.is_cuda:
            self.torch.cuda.synchronize(self.name)

    def free_mb(self) -> float:
        """Memory that nobody holds, in MiB; 0 where it cannot be asked."""
        return self.torch.cuda.mem_get_info(self.name)[0] / 2**20 if self.is_cuda else 0.0

    def precisions(self) -> list[str]:
        """Narrow number types, fp16 first."""
        if not self.is_cuda:
            return ["fp32"]
        return ["fp16", "bf16"] if self.torch.cuda.get_device_capability(self.name)[0] >= 8 else ["fp16"]

    def seconds(self, action: Callable[[], Any], runs: int = 3) -> float:
        """The least time of several runs after one that allocates and chooses its kernels."""
        action()
        self.wait()
        found = []
        for _ in range(runs):
            begun = time.perf_counter()
            action()
            self.wait()
            found.append(time.perf_counter() - begun)
        return min(found)


def manager_in(folder: Path) -> ModelManager:
    """A manager with nothing remembered, the program's own networks and those of the set-up."""
    return ModelManager(weights_dir=folder / "weights", cache_dir=folder / "cache")


def torch_session(model: LoadedModel) -> TorchSession:
    """The model's session, of which these measurements use the network itself."""
    assert isinstance(model.session, TorchSession)
    return model.session


def machine(device: Device, quick: bool) -> Iterator[Line]:
    """The card's name, and how many operations a second a plain matrix multiplication reaches by number type."""
    torch = device.torch
    name = torch.cuda.get_device_name(device.name) if device.is_cuda else "the processor"
    total = torch.cuda.get_device_properties(device.name).total_memory / 2**30 if device.is_cuda else 0.0
    yield {"name": name, "memory_gb": round(total, 1), "torch": torch.__version__}
    side = 256 if quick else 8192
    for precision in [*device.precisions(), *(["fp32"] if device.is_cuda else [])]:
        kind = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[precision]
        a, b = (torch.rand(side, side, device=device.name).to(kind) for _ in range(2))
        seconds = device.seconds(partial(torch.mm, a, b), 5)
        yield {"precision": precision, "tflops": 2 * side**3 / seconds / 1e12}


def verdicts(device: Device, quick: bool) -> Iterator[Line]:
    """What the self-test says of every network and number type on the device."""
    with tempfile.TemporaryDirectory() as name, closing(manager_in(Path(name))) as manager:
        for network in NETWORKS[1:3] if quick else NETWORKS:
            model = manager.load_model(network, device=device.name)
            yield {"network": network, "chosen": f"{model.session.backend} {model.session.precision}"}
        for key, record in manager.self_tests.all().items():
            for trial in record["trials"]:
                yield {"kind": key.split(" | ")[:3], **trial}


def work_per_pixel(network: Any) -> float:
    """Floating-point operations of all convolutions for one input pixel (a multiply and an add are two)."""
    import torch

    total = 0

    def count(module: Any, _: Any, output: Any) -> None:
        nonlocal total
        kernel = module.weight
        total += 2 * kernel.shape[1] * kernel.shape[2] * kernel.shape[3] * output.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    first = next(network.parameters())
    with torch.inference_mode():
        network(torch.rand(1, 3, 16, 16, device=first.device, dtype=first.dtype))
    for hook in hooks:
        hook.remove()
    return total / 256


def their_way(checkpoint: Path, device: Device) -> Callable[[np.ndarray], np.ndarray]:
    """``RealESRGANer`` in half precision (fp32 on a processor) with its tiles. Raises ImportError without it."""
    from engine.backends.original import build_network, import_originals
    from engine.models import checkpoints

    state = checkpoints.load_state_dict(checkpoint)
    with contextlib.redirect_stdout(io.StringIO()):
        upsampler = import_originals().RealESRGANer(
            4,
            str(checkpoint),
            model=build_network(state, 4),
            tile=THEIR_TILE,
            tile_pad=THEIR_PAD,
            pre_pad=0,
            half=device.is_cuda,
            device=device.torch.device(device.name),
        )

    def run(pixels: np.ndarray) -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()):
            return upsampler.enhance(np.ascontiguousarray(pixels[..., ::-1]))[0][..., ::-1]

    return run


def _speed(model: LoadedModel, device: Device, pixels: np.ndarray) -> Line:
    """Seconds of the engine, pixels to pixels, and of its network alone on one tensor that is there already."""
    torch, session = device.torch, torch_session(model)

    def ours() -> np.ndarray:
        free = session.free_memory()
        upscaler = Upscaler(session, model.info, budget=MemoryBudget(free if free is not None else 2**32))
        bands = upscaler.bands(pixels, upscaler.plan(pixels.shape[1], pixels.shape[0]))
        return np.concatenate([from_full_scale(band, 8) for band in bands])

    line: Line = {"ours": device.seconds(ours, 2)}
    kind = next(session.network.parameters()).dtype
    tensor = torch.from_numpy(pixels).to(device.name).permute(2, 0, 1)[None].to(kind) / 255
    tensor = tensor.contiguous(memory_format=torch.channels_last)
    try:
        with torch.inference_mode():
            line["raw"] = device.seconds(lambda: session.network(tensor), 2)
    except (RuntimeError, MemoryError) as error:
        line["raw_problem"] = str(error)[:80]
        session.trim()
    return line


def speeds(device: Device, quick: bool) -> Iterator[Line]:
    """Every network, size and number type: the engine, its network alone, the original's tiled half precision."""
    with tempfile.TemporaryDirectory() as name, closing(manager_in(Path(name))) as manager:
        for network in NETWORKS[2:3] if quick else NETWORKS:
            try:
                checkpoint = write_published(Path(name) / f"{network}.pth", network)
                original = their_way(checkpoint, device)
            except (ImportError, KeyError) as error:
                original, problem = None, f"{type(error).__name__}: {error}"[:80]
                yield {"network": network, "original_problem": problem}
            for precision in device.precisions():
                model = manager.load_model(network, device=device.name, backend="torch", precision=precision)
                work, expected = work_per_pixel(torch_session(model).network), 0.0
                for side in FEW_SIDES if quick else SIDES:
                    line: Line = {
                        "network": network,
                        "precision": precision,
                        "side": side,
                        "gflop": work * side**2 / 1e9,
                    }
                    if expected * 4 > LONG:
                        yield line | {"left_out": f"more than {LONG:g} s expected"}
                        break
                    pixels = photograph(side, side)
                    line |= _speed(model, device, pixels)
                    expected = line["ours"]
                    # The original knows one narrow type; it is timed beside the first of ours.
                    if original is not None and precision == device.precisions()[0]:
                        line["original"] = device.seconds(partial(original, pixels), 2)
                        expected = max(expected, line["original"])
                    yield line
                manager.unload_all()


def ways(device: Device, quick: bool) -> Iterator[Line]:
    """RealESRGAN_x4plus on one window in every way that PyTorch offers, each beside the plain one."""
    torch, side = device.torch, 32 if quick else 512
    with tempfile.TemporaryDirectory() as name, closing(manager_in(Path(name))) as manager, torch.inference_mode():
        for precision in device.precisions():
            network = NETWORKS[2] if quick else NETWORKS[0]
            model = manager.load_model(network, device=device.name, backend="torch", precision=precision)
            module = torch_session(model).network
            kind = next(module.parameters()).dtype
            window = torch.rand(1, 3, side, side, device=device.name).to(kind)
            rows = window.contiguous(memory_format=torch.channels_last)

            def found(way: str, seconds: float, precision: str = precision) -> Line:
                return {"way": way, "precision": precision, "side": side, "seconds": seconds}

            yield found("channels last", device.seconds(partial(module, rows)))
            module.to(memory_format=torch.contiguous_format)
            yield found("planes", device.seconds(partial(module, window)))
            module.to(memory_format=torch.channels_last)
            if device.is_cuda:
                yield found("channels last, CUDA graph", _graph(device, module, rows))
                serial, overlapped = _copies(device, module, rows)
                yield found("eight windows, copied one after the other", serial)
                yield found("eight windows, copies beside the work", overlapped)
            if not quick:
                begun = time.perf_counter()
                compiled = torch.compile(module)
                compiled(rows)
                device.wait()
                took = time.perf_counter() - begun
                line = found("channels last, torch.compile", device.seconds(partial(compiled, rows)))
                yield line | {"compiled_in": took}
            manager.unload_all()


def _graph(device: Device, module: Any, tensor: Any) -> float:
    """Seconds of the network recorded as a CUDA graph."""
    torch = device.torch
    beside = torch.cuda.Stream(device.name)
    beside.wait_stream(torch.cuda.current_stream(device.name))
    with torch.cuda.stream(beside):
        for _ in range(2):
            module(tensor)
    torch.cuda.current_stream(device.name).wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        module(tensor)
    return device.seconds(graph.replay)


def _copies(device: Device, module: Any, tensor: Any, count: int = 8) -> tuple[float, float]:
    """Seconds of several windows from and to the host: in one stream, and with copies in streams of their own."""
    torch = device.torch
    sources = [torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True) for _ in range(count)]
    with torch.no_grad():
        shape = module(tensor).shape
    targets = [torch.empty(shape, dtype=tensor.dtype, pin_memory=True) for _ in range(count)]
    there, back = torch.cuda.Stream(device.name), torch.cuda.Stream(device.name)
    here = torch.cuda.current_stream(device.name)

    def serial() -> None:
        for source, target in zip(sources, targets, strict=True):
            target.copy_(module(source.to(device.name, non_blocking=True)), non_blocking=True)
            device.wait()

    def overlapped() -> None:
        kept = []  # nothing may be given back while another stream still reads it
        for source, target in zip(sources, targets, strict=True):
            with torch.cuda.stream(there):
                arrived = source.to(device.name, non_blocking=True)
            here.wait_stream(there)
            output = module(arrived)
            back.wait_stream(here)
            with torch.cuda.stream(back):
                target.copy_(output, non_blocking=True)
            kept += [arrived, output]
        device.wait()

    return device.seconds(serial, 2), device.seconds(overlapped, 2)


def shortage(device: Device, quick: bool) -> Iterator[Line]:
    """Memory that runs out in earnest at every size of tile: does the same picture come out?"""
    if not device.is_cuda:
        yield {"left_out": "needs a card with memory of its own"}
        return
    torch, network = device.torch, NETWORKS[2]
    pixels = photograph(1200, 1200)
    with tempfile.TemporaryDirectory() as name, closing(manager_in(Path(name))) as manager:
        model = manager.load_model(network, device=device.name, backend="torch", precision=device.precisions()[0])

        def run(tile: int) -> tuple[np.ndarray, Upscaler]:
            upscaler = Upscaler(model.session, model.info, tile=tile)
            return np.concatenate(list(upscaler.bands(pixels, upscaler.plan(1200, 1200)))), upscaler

        reference, _ = run(192)
        for tile in (1200, 1024, 768, 512, 384, 256):
            model.session.trim()
            torch.cuda.reset_peak_memory_stats(device.name)
            before = torch.cuda.memory_allocated(device.name)
            run(tile)
            needed = torch.cuda.max_memory_allocated(device.name) - before
            model.session.trim()
            free = torch.cuda.mem_get_info(device.name)[0]
            ballast = torch.empty(max(0, int(free - 0.8 * needed)), dtype=torch.uint8, device=device.name)
            try:
                output, upscaler = run(tile)
                worst = int(np.abs(output.astype(np.int32) - reference).max())
                line: Line = {"shrunk": upscaler.limit.shrunk, "side": upscaler.limit.side, "worst_level": worst / 257}
            except MemoryError as error:
                line = {"problem": str(error)[:80]}
            del ballast
            yield {"tile": tile, "needed_mb": needed / 2**20, **line}


def unloading(device: Device, quick: bool) -> Iterator[Line]:
    """Free memory before a model, with it, and after it is gone; twice."""
    pixels = photograph(64, 64) if quick else photograph(512, 512)
    with tempfile.TemporaryDirectory() as name, closing(manager_in(Path(name))) as manager:
        if device.is_cuda:
            device.torch.zeros(1, device=device.name)  # the runtime's own memory stays to the process's end
        for turn in (1, 2):
            yield {"step": f"before, {turn}", "free_mb": device.free_mb()}
            model = manager.load_model(NETWORKS[2] if quick else NETWORKS[0], device=device.name, backend="torch")
            _speed(model, device, pixels)
            yield {"step": f"loaded and run, {turn}", "free_mb": device.free_mb()}
            del model
            manager.unload_all()
            yield {"step": f"unloaded, {turn}", "free_mb": device.free_mb()}


def film(device: Device, quick: bool) -> Iterator[Line]:
    """Frames a second of a film and how busy its network is; decoding and encoding run beside it."""
    from benchmarks.video import engine, write_clip

    frames, width, height = (4, 64, 48) if quick else (96, 640, 360)
    with tempfile.TemporaryDirectory() as name, closing(manager_in(Path(name))) as manager:
        folder = Path(name)
        clip, warm = (write_clip(folder / f"{n}.mp4", n, width, height) for n in (frames, 2))
        for network in NETWORKS[2:3] if quick else NETWORKS[2:]:
            engine(network, manager, warm, folder / "warm-out.mp4", "h264", device.name)
            measured = engine(network, manager, clip, folder / "out.mp4", "h264", device.name)
            yield {"network": network, "size": f"{width}x{height}", "fps": measured.fps, "share": measured.share}


def face(device: Device, quick: bool) -> Iterator[Line]:
    """Seconds an aligned face takes in ``GFPGANer`` and here: the published shape, fixed-seed weights."""
    if quick:
        yield {"left_out": "not in a quick run"}
        return
    with tempfile.TemporaryDirectory() as name:
        yield race_jobs.faces(Path(name), device=device.name)


JOBS: dict[str, Callable[[Device, bool], Iterator[Line]]] = {
    "machine": machine,
    "verdicts": verdicts,
    "speeds": speeds,
    "shortage": shortage,
    "unloading": unloading,
    "film": film,
    "face": face,
    "ways": ways,
}
"""In the order in which they run: what may take long for reasons of its own (compiling) is last."""


def main(name: str, device: str, quick: str) -> None:
    """Run one job; a line as soon as it is known."""
    Config()  # a wrong setting is told before anything is measured
    for line in JOBS[name](Device(device), quick == "quick"):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
