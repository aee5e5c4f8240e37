"""``.pth`` files without torch: what ``torch.save`` writes, read as numpy arrays, and nothing but tensors.

Such a file is a ZIP with a pickle that names the tensors, and one member for the values of each storage. The pickle is
read by an unpickler that knows a handful of names, none of which is a function of anybody else's; every other name is
refused, so nothing that a file says is ever called. Sizes and strides are checked against the storage's real bytes
before a tensor is looked at. Used only where torch is not installed; where it is, its own restricted loader reads.
"""

from __future__ import annotations

import io
import pickle  # nosec B403
import pickletools  # nosec B403
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_TYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "BFloat16Storage": "<u2",
}
_BRAIN = "BFloat16Storage"
_LARGEST_PICKLE = 8 * 2**20
"""Bytes; RRDBNet's, with 702 tensors, has a tenth of one megabyte."""
_LARGEST_RATIO = 8
"""Bytes of all tensors by bytes of the file: tensors may share a storage, but not without end."""


class OtherKindError(ValueError):
    """A file that is none of these; torch may know it."""


@dataclass(frozen=True)
class _Kind:
    """A storage's class, as the pickle names it. Not callable."""

    name: str


@dataclass(frozen=True)
class _Storage:
    kind: _Kind
    values: np.ndarray


def read_pickled(path: Path) -> object:
    """What the file's pickle holds, with arrays where it has tensors.

    Raises:
        OtherKindError: no ZIP as ``torch.save`` writes it (the older format), or of other byte order.
        pickle.UnpicklingError: it holds anything but tensors in plain containers.
        ValueError, EOFError and others: it is damaged.
    """
    if not zipfile.is_zipfile(path):
        raise OtherKindError("not a ZIP")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise OtherKindError("no pickle of tensors")
        root = names[0].removesuffix("data.pkl")
        order = f"{root}byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise OtherKindError("of another byte order")
        return _Reader(archive, root, _LARGEST_RATIO * path.stat().st_size).load()


def _check_claims(pickled: bytes) -> None:
    """Refuse lengths and places beyond the pickle's own: Python's unpickler makes room for them before it looks.

    Raises ``ValueError``, also where it is no pickle.
    """
    if len(pickled) > _LARGEST_PICKLE:
        raise ValueError(f"its pickle has {len(pickled) / 2**20:.0f} MB")
    for opcode, value, _ in pickletools.genops(pickled):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= int(value or 0) <= len(pickled):
            raise ValueError(f"its pickle names place {value}")


class _Reader(pickle.Unpickler):
    """One file. ``most``: bytes that all tensors together may have."""

    def __init__(self, archive: zipfile.ZipFile, root: str, most: int) -> None:
        pickled = archive.read(f"{root}data.pkl")
        _check_claims(pickled)
        super().__init__(io.BytesIO(pickled))
        self._archive, self._root, self._left = archive, root, most
        self._storages: dict[str, _Storage] = {}
        self._names: dict[tuple[str, str], object] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): self._tensor,
            ("torch._utils", "_rebuild_parameter"): self._parameter,
        }

    def find_class(self, module: str, name: str) -> object:
        """One of the few names that tensors need."""
        if module == "torch" and name in _TYPES:
            return _Kind(name)
        if (module, name) not in self._names:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of a tensor")
        return self._names[module, name]

    def persistent_load(self, pid: object) -> _Storage:
        """The storage that the pickle points to: ("storage", kind, key, place, number of values)."""
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and isinstance(pid[1], _Kind)):
            raise pickle.UnpicklingError("a reference to something other than a storage")
        _, kind, key, _, count = pid
        if not isinstance(key, str) or not isinstance(count, int):
            raise pickle.UnpicklingError("a storage without a name or a size")
        if key not in self._storages:
            member = self._archive.getinfo(f"{self._root}data/{key}")
            if count < 0 or member.file_size != count * np.dtype(_TYPES[kind.name]).itemsize:
                raise ValueError(f"storage {key} has {member.file_size} bytes for {count} values")
            self._storages[key] = _Storage(kind, np.frombuffer(self._archive.read(member), _TYPES[kind.name]))
        if self._storages[key].kind != kind:
            raise ValueError(f"storage {key} is of two kinds")
        return self._storages[key]

    def _tensor(self, storage: object, offset: Any, shape: Any, strides: Any, *_: object) -> np.ndarray:
        numbers = [offset, *shape, *strides]
        if not isinstance(storage, _Storage) or not all(isinstance(one, int) and one >= 0 for one in numbers):
            raise ValueError("a tensor without a storage, or of negative size")
        if len(shape) != len(strides) or len(shape) > 8:
            raise ValueError("a tensor whose shape and strides do not fit")
        values = storage.values
        count, last = 1, offset
        for side, stride in zip(shape, strides, strict=True):
            count *= side
            last += (side - 1) * stride if side else 0
        if count > values.size or (count and last >= values.size):
            raise ValueError(f"a tensor of {count} values in a storage of {values.size}")
        self._left -= count * 4
        if self._left < 0:
            raise ValueError("tensors of more bytes than the file can hold")
        steps = tuple(stride * values.itemsize for stride in strides)
        view = np.lib.stride_tricks.as_strided(values[offset:], shape, steps, writeable=False)
        if storage.kind.name == _BRAIN:  # the upper half of float32
            return (view.astype(np.uint32) << 16).view(np.float32)
        return np.ascontiguousarray(view)

    def _parameter(self, tensor: object, *_: object) -> np.ndarray:
        if not isinstance(tensor, np.ndarray):
            raise ValueError("a parameter that is no tensor")
        return tensor


__all__ = ["OtherKindError", "read_pickled"]
