"""Networks as OpenVINO models, made once and kept on disk under the checkpoint's hash and the number type.

Known architectures are built from their weights in a fraction of a second (``openvino_graphs``). All others are traced
by torch, which takes seconds; the next start reads what was kept and does not import torch at all.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.backends.array_networks import KEEP_FP32, is_known
from engine.backends.base import NetworkSource
from engine.backends.calibration import Calibration, find_calibration
from engine.backends.exact_input import operations_in_fp32, with_exact_input
from engine.backends.openvino_graphs import build_graph
from engine.backends.openvino_int8 import build_int8_graph, is_quantizable
from engine.backends.rounding import round_network
from engine.models.face_network import CROP_SIDE
from utils import pytorch
from utils.errors import BackendError
from utils.files import prune
from utils.installation import command

if TYPE_CHECKING:
    from torch import nn

    from utils.openvino import openvino

CONVERTER_REVISION = 5
"""Raise when the way of converting changes: older converted files are then ignored."""
_TRACING = threading.Lock()
"""torch's tracer is one for the whole process; two conversions at a time spoil each other."""
_LAYER = re.compile(r'<layer id="\d+" name="([^"]+)".*?</layer>', re.DOTALL)
_KEEP_FP32 = '<rt_info><attribute name="precise" version="0"/></rt_info>'
"""OpenVINO's own mark (``DisableFP16Compression``). Its CPU plugin runs such an operation in the model's number type
whatever the precision hint says; Python cannot set it, but it is read from files."""


def converted_path(
    source: NetworkSource, cache_dir: Path, version: str, precision: str, calibration: Calibration | None = None
) -> Path:
    """Where the converted form of these weights is kept. ``precision``: "fp32", "bf16", "fp16" or "int8"."""
    safe_version = "".join(c if c.isalnum() or c in ".-" else "_" for c in version)[:40]
    precision += f"-{calibration.digest()}" if calibration is not None else ""
    name = f"{source.key[:40]}-{precision}-ov{safe_version}-r{CONVERTER_REVISION}.xml"
    return cache_dir / "openvino" / name


def load_converted(
    core: openvino.Core, source: NetworkSource, cache_dir: Path | None, precision: str
) -> openvino.Model:
    """The ``openvino.Model`` to run in ``precision``: from the cache, else converted (and kept).

    Raises:
        BackendError: "int8" without a calibration.
    """
    from utils.openvino import openvino

    calibration = _calibration(source, cache_dir) if precision == "int8" else None
    if cache_dir is not None:
        path = converted_path(source, cache_dir, openvino.get_version(), precision, calibration)
        if path.is_file() and path.with_suffix(".bin").is_file():
            try:
                with suppress(OSError):
                    os.utime(path.with_suffix(".bin"))  # used: others go first
                return core.read_model(path)
            except RuntimeError:
                path.unlink(missing_ok=True)  # damaged: convert again
    model = _build(source, precision) if calibration is None else _build_int8(source, calibration)
    kept = rf"{KEEP_FP32}.*" if model is not None else operations_in_fp32(source.info)
    if model is None:
        model = _convert(source, precision)
    kept = kept if precision != "fp32" else None
    # A cache that cannot be written costs time at the next start, nothing else.
    if cache_dir is not None:
        with suppress(OSError, RuntimeError):
            _save_atomically(model, path, kept)
            return core.read_model(path)
    return model if kept is None else _marked_in_memory(core, model, kept)


def prune_kept(cache_dir: Path, most_bytes: int) -> None:
    """Keep what OpenVINO has in the cache, converted networks and compiled ones, within a size; the oldest go first."""
    folder = cache_dir / "openvino"
    prune(folder, "**/*.b[il][no]*", most_bytes)  # .bin, .blob
    for path in folder.glob("*.xml"):
        if not path.with_suffix(".bin").exists():
            with suppress(OSError):
                path.unlink()


def _build(source: NetworkSource, precision: str) -> openvino.Model | None:
    """The graph of a known architecture, from its weights; None for all others."""
    if not is_known(source.info):
        return None
    arrays = source.arrays()
    return build_graph(source.info, arrays, precision) if arrays is not None else None


def _calibration(source: NetworkSource, cache_dir: Path | None) -> Calibration:
    found = find_calibration(source.key, cache_dir)
    if found is None:
        raise BackendError(
            f"'{source.name}' was not calibrated for int8: `{command()} models calibrate NAME PICTURES` does it."
        )
    return found


def _build_int8(source: NetworkSource, calibration: Calibration) -> openvino.Model:
    arrays = source.arrays() if is_quantizable(source.info) else None
    try:
        model = build_int8_graph(source.info, arrays, calibration) if arrays is not None else None
    except ValueError as error:  # LinAlgError is one
        raise BackendError(f"'{source.name}': {error}") from error
    if model is None:
        raise BackendError(f"int8 serves compact networks; '{source.name}' ({source.info.architecture}) is none.")
    return model


def _convert(source: NetworkSource, precision: str) -> openvino.Model:
    pytorch.require(f"'{source.name}'")
    import torch

    from utils.openvino import openvino

    side = max(32, source.info.minimum_size, source.info.multiple_of * 4)
    shape = [-1, source.info.in_channels, -1, -1]
    if source.info.kind == "face":  # these know one size only
        side = CROP_SIDE
        shape = [1, source.info.in_channels, side, side]
    example = torch.rand(1, source.info.in_channels, side, side)
    with _TRACING, torch.inference_mode(), warnings.catch_warnings():
        # The converter traces by an interface that torch has deprecated; nothing that a user could change.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        network: nn.Module = with_exact_input(source.load().float(), source.info)
        if precision != "fp32":
            round_network(network, source.info, precision)
        if source.info.kind == "face":
            # The converter would run the network three times more to check the trace; these take seconds each.
            network = torch.jit.trace(network, example, check_trace=False)
        return openvino.convert_model(
            network,
            example_input=example,
            input=[openvino.PartialShape(shape)],
        )


def _save_atomically(model: openvino.Model, path: Path, kept: str | None) -> None:
    """The ``.xml`` appears last, so whoever sees it finds a whole ``.bin`` beside it."""
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.{threading.get_ident()}.xml")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _save_marked(model, temporary, kept)
        temporary.with_suffix(".bin").replace(path.with_suffix(".bin"))
        temporary.replace(path)
    except (OSError, RuntimeError):
        temporary.unlink(missing_ok=True)
        temporary.with_suffix(".bin").unlink(missing_ok=True)
        raise


def _save_marked(model: openvino.Model, path: Path, kept: str | None) -> None:
    """Write the model; operations whose names match ``kept`` (a regular expression) stay in fp32 when it runs."""
    from utils.openvino import openvino

    openvino.save_model(model, path, compress_to_fp16=False)
    if kept is None:
        return

    def mark(layer: re.Match[str]) -> str:
        text = layer.group(0)
        return text.replace("<input>", f"{_KEEP_FP32}<input>", 1) if re.fullmatch(kept, layer.group(1)) else text

    path.write_text(_LAYER.sub(mark, path.read_text("utf-8")), "utf-8")


def _marked_in_memory(core: openvino.Core, model: openvino.Model, kept: str) -> openvino.Model:
    import numpy as np

    from utils.openvino import openvino

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        _save_marked(model, path, kept)
        weights = np.fromfile(path.with_suffix(".bin"), np.uint8)
        return core.read_model(path.read_text("utf-8"), openvino.Tensor(weights, shared_memory=False))
