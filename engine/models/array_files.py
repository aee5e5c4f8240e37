"""Checkpoint files as numpy arrays, without torch: safetensors, and ``.pth`` files that hold plain tensors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from utils.errors import UnsupportedModelError

Arrays = dict[str, np.ndarray]
_BRAIN = "BF16"
_OTHERS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
"""Number types of safetensors, and of numpy."""


def read_safetensors(path: Path) -> Arrays | None:
    """The tensors as float32; None where one is of a number type that only torch knows.

    Raises:
        UnsupportedModelError: the file is damaged, or a value is NaN or infinite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: Arrays | None = {key: np.asarray(value, np.float32) for key, value in load_file(path).items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise UnsupportedModelError(f"'{path}' is not a readable safetensors file: {error}") from error
    except (TypeError, KeyError, AttributeError):  # a number type that numpy does not have
        arrays = _with_bfloat16(path)
    if arrays is not None:
        check_finite(arrays, path)
    return arrays


def _with_bfloat16(path: Path) -> Arrays | None:
    """bfloat16 is the upper half of float32."""
    from safetensors import deserialize

    arrays: Arrays = {}
    for name, tensor in deserialize(path.read_bytes()):  # load_file has read the header: it is sound
        kind, data, shape = tensor["dtype"], tensor["data"], tensor["shape"]
        if kind == _BRAIN:
            values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif kind in _OTHERS:
            values = np.frombuffer(data, _OTHERS[kind])
        else:
            return None
        if values.size != math.prod(shape):
            return None
        arrays[name] = values.reshape(shape).astype(np.float32)
    return arrays


def check_finite(arrays: Arrays, path: Path) -> None:
    """Raise ``UnsupportedModelError`` where a value is NaN or infinite."""
    for key, values in arrays.items():
        if not np.isfinite(values).all():
            raise UnsupportedModelError(f"'{path}' is damaged: '{key}' holds NaN or infinite values.")


__all__ = ["Arrays", "check_finite", "read_safetensors"]
