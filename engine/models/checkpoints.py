"""Opening checkpoint files safely, and finding out what network is inside.

A ``.pth`` file is a pickle, and a pickle can run code. So ``torch.load`` runs restricted to tensors
(``weights_only=True``), and a file that does not load that way is refused: there is no other way to load it.
"""

from __future__ import annotations

import pickle  # nosec B403
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from engine.models.architectures import load_network, raise_if_out_of_memory
from engine.models.files import PAIR_SUFFIX, is_pair
from engine.models.info import CheckpointInfo
from engine.models.ncnn import read_pair
from utils import pytorch
from utils.errors import MissingPackageError, ModelError, UnsupportedModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

Values = TypeVar("Values")
Mixed = TypeVar("Mixed", np.ndarray, "Tensor")

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", PAIR_SUFFIX)
_NESTED = ("params_ema", "params", "state_dict", "model_state_dict", "model", "g_ema", "net_g")
"""Where training frameworks put the state dict; averaged weights (EMA) first."""
_LARGEST_PICKLE = 64 * 2**20
"""Bytes. The pickle names and shapes the tensors; their values lie beside it, so it has kilobytes."""
_LARGEST_RATIO = 8
"""Unpacked size by size on disk."""


class PassingFault(str):
    """Why a file cannot be used now, though nothing is wrong with it that is known: worth another look later."""


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, on the CPU; of an ncnn pair under the names of the official checkpoint.

    Raises:
        UnsupportedModelError: the file is damaged, holds anything but tensors, or has NaN or infinite weights; an ncnn
            pair is a graph of a kind that has no state dict.
        MissingPackageError: torch is not installed.
        MemoryError: it does not fit into the free memory.
    """
    path = Path(path)
    if is_pair(path):
        return _pair_state(path)
    if path.suffix.lower() == ".safetensors":
        state = _load_safetensors(path)
    elif path.suffix.lower() in SUFFIXES:
        pytorch.require(f"'{path}'")
        import torch

        state = _unnest(_load_pickle(path), path, torch.Tensor)
    else:
        raise UnsupportedModelError(f"'{path.name}' is no checkpoint; known kinds: {', '.join(SUFFIXES)}.")
    _check_tensors(state, path)
    return state


def _pair_state(path: Path) -> dict[str, Tensor]:
    pytorch.require(f"'{path}'")
    import torch

    state = read_pair(path).state
    if state is None:
        raise UnsupportedModelError(f"'{path}' is a graph of no known architecture; it has no state dict.")
    return {key: torch.from_numpy(value) for key, value in state.items()}


def load_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """The same as float32 arrays, without importing torch where the file permits; None for graphs without state dict.

    Raises as ``load_state_dict``.
    """
    path = Path(path)
    if is_pair(path):
        return read_pair(path).state
    if (arrays := _arrays_without_torch(path)) is not None:
        return arrays
    return {key: value.float().numpy() for key, value in load_state_dict(path).items()}


def _arrays_without_torch(path: Path) -> dict[str, np.ndarray] | None:
    """What numpy reads of a single file; None for files and number types that only torch reads."""
    from engine.models.array_files import check_finite, read_safetensors

    if path.suffix.lower() == ".safetensors":
        return read_safetensors(path)
    if path.suffix.lower() not in SUFFIXES or pytorch.is_installed():
        return None
    content = _load_pickle_without_torch(path)
    if content is None:
        return None
    arrays = {key: np.asarray(value, np.float32) for key, value in _unnest(content, path, np.ndarray).items()}
    check_finite(arrays, path)
    return arrays


def _load_pickle_without_torch(path: Path) -> object:
    """None for what only torch reads."""
    from engine.models.pickled_arrays import OtherKindError, read_pickled

    _check_archive(path)
    with _as_checkpoint_errors(path):
        try:
            return read_pickled(path)
        except OtherKindError:
            return None


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    pytorch.require(f"'{path}'")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path, device="cpu"))
    except (SafetensorError, OSError, ValueError) as error:
        raise_if_out_of_memory(error)
        raise UnsupportedModelError(f"'{path}' is not a readable safetensors file: {error}") from error


def _check_archive(path: Path) -> None:
    """Refuse a ZIP that unpacks to far more than it is: ``torch.save`` stores tensors as they are, packing nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError):
        return  # an older format, or damaged: reading it tells
    pickles = max((member.file_size for member in members if member.filename.endswith(".pkl")), default=0)
    unpacked = sum(member.file_size for member in members)
    if pickles > _LARGEST_PICKLE or unpacked > _LARGEST_RATIO * path.stat().st_size + 2**20:
        raise UnsupportedModelError(
            f"'{path}' was refused: it would unpack to {unpacked / 2**20:,.0f} MB, as no checkpoint does."
        )


def _load_pickle(path: Path) -> object:
    import torch

    _check_archive(path)
    with _as_checkpoint_errors(path):
        return torch.load(path, map_location="cpu", weights_only=True)


@contextmanager
def _as_checkpoint_errors(path: Path) -> Iterator[None]:
    """Whatever reading a pickle raises, as ``UnsupportedModelError``; short memory as ``MemoryError``."""
    try:
        yield
    except pickle.UnpicklingError as error:
        raise UnsupportedModelError(
            f"'{path}' was refused: it holds something other than plain tensors, which could run code when loaded. "
            "Get the model from its original source, or as .safetensors."
        ) from error
    except Exception as error:  # a damaged archive raises anything from EOFError to RuntimeError
        raise_if_out_of_memory(error)
        raise UnsupportedModelError(
            f"'{path}' is not a readable checkpoint ({type(error).__name__}); it may be cut off or of another kind."
        ) from error


def _unnest(content: object, path: Path, kind: type[Values]) -> dict[str, Values]:
    """The state dict in what a file holds; ``kind``: the class of its tensors."""
    for _ in range(3):
        if not isinstance(content, dict):
            break
        inner = next((content[key] for key in _NESTED if isinstance(content.get(key), dict)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, dict):
        raise UnsupportedModelError(f"'{path}' holds no state dict.")
    state = {key: value for key, value in content.items() if isinstance(value, kind)}
    if not state:
        raise UnsupportedModelError(f"'{path}' holds no tensors.")
    prefix = "module."
    if all(key.startswith(prefix) for key in state):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _check_tensors(state: dict[str, Tensor], path: Path) -> None:
    import torch

    for key, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UnsupportedModelError(f"'{path}' is damaged: '{key}' holds NaN or infinite values.")


def open_network(path: Path) -> tuple[nn.Module, CheckpointInfo]:
    """The network in a file (fp32, ``eval`` mode, no gradients), and its facts. Raises as the two steps it takes."""
    if is_pair(path):
        pair = read_pair(path)
        if pair.state is None:
            return pair.module(), pair.info
    return load_network(load_state_dict(path))


def inspect_checkpoint(path: Path) -> CheckpointInfo:
    """The facts of a checkpoint file; ``ModelStore`` remembers the answer.

    Takes seconds, and torch, for all but the architectures that run without it.
    """
    from engine.models.array_info import info_of

    try:
        if is_pair(path):
            return read_pair(path).info
        arrays = _arrays_without_torch(path)
        if arrays is not None and (known := info_of(arrays)) is not None:
            return known
        return load_network(load_state_dict(path))[1]
    except (UnsupportedModelError, MissingPackageError) as error:
        text = str(error)
        raise type(error)(text if str(path) in text else f"'{path}': {text}") from error
    except RuntimeError as error:
        raise_if_out_of_memory(error)
        raise


def inspect_checkpoints(paths: Sequence[Path]) -> list[CheckpointInfo | str]:
    """The facts of several files; of one that cannot be used, the sentence that says why.

    Where memory ran short that is a ``PassingFault``.
    """
    found: list[CheckpointInfo | str] = []
    for path in paths:
        try:
            found.append(inspect_checkpoint(path))
        except ModelError as error:
            found.append(str(error))
        except MemoryError:
            found.append(PassingFault(f"There was not enough memory to look at '{path}'; the next start tries again."))
    return found


def interpolate(strong: Mapping[str, Mixed], weak: Mapping[str, Mixed], strength: float) -> dict[str, Mixed]:
    """Deep network interpolation (Wang et al., CVPR 2019): ``strength * strong + (1 - strength) * weak``.

    Args:
        strong, weak: tensors, or arrays, under the same names; narrow floating-point ones are mixed as float32.

    Raises:
        UnsupportedModelError: the two do not have the same keys and shapes.
    """
    if strong.keys() != weak.keys() or any(strong[key].shape != weak[key].shape for key in strong):
        raise UnsupportedModelError("The model and its weak-denoise twin do not have the same architecture.")

    def mix(a: Mixed, b: Mixed) -> Mixed:
        if isinstance(a, np.ndarray):
            return (strength * a + (1 - strength) * b).astype(np.float32)
        return strength * a.float() + (1 - strength) * b.float() if a.is_floating_point() else a

    return {key: mix(tensor, weak[key]) for key, tensor in strong.items()}
