"""Opening checkpoint files safely, and finding out what network is inside.

A ``.pth`` file is a pickle, and a pickle can run code. So ``torch.load`` runs restricted to tensors
(``weights_only=True``), and a file that does not load that way is refused: there is no other way to load it.
"""

from __future__ import annotations

import pickle  # nosec B403
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.model_files import PAIR_SUFFIX, is_pair
from utils.errors import ModelError, UnsupportedModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", PAIR_SUFFIX)
_NESTED = ("params_ema", "params", "state_dict", "model_state_dict", "model", "g_ema", "net_g")
"""Where training frameworks put the state dict; averaged weights (EMA) first."""
_LARGEST_PICKLE = 64 * 2**20
"""Bytes. The pickle names and shapes the tensors; their values lie beside it, so it has kilobytes."""
_LARGEST_RATIO = 8
"""Unpacked size by size on disk."""


@dataclass(frozen=True)
class CheckpointInfo:
    """What a network needs and gives.

    Attributes:
        architecture: the family's name.
        kind: "upscale" (scale 1 included), "face", or "other".
        scale: output side / input side.
        parameters: number of weights.
        multiple_of: the input's sides must be multiples of this.
        minimum_size: smallest input side.
        receptive_radius: input pixels on each side that an output pixel depends on, where that is small enough to be
            covered exactly; else None.
        global_pools: layers that take a mean over the whole picture (squeeze-excite); tiles of it must share those
            means (``engine.pooling``).
    """

    architecture: str
    kind: str
    scale: int
    in_channels: int
    out_channels: int
    parameters: int
    multiple_of: int = 1
    minimum_size: int = 1
    receptive_radius: int | None = None
    supports_half: bool = True
    supports_bfloat16: bool = True
    global_pools: int = 0

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values; ``from_json`` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> CheckpointInfo:
        """Raises ``TypeError`` when the values are of another version."""
        return cls(**values)


class PassingFault(str):
    """Why a file cannot be used now, though nothing is wrong with it that is known: worth another look later."""


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file, on the CPU; of an ncnn pair under the names of the official checkpoint.

    Raises:
        UnsupportedModelError: the file is damaged, holds anything but tensors, or has NaN or infinite weights; an ncnn
            pair is a graph of a kind that has no state dict.
        MemoryError: it does not fit into the free memory.
    """
    path = Path(path)
    if is_pair(path):
        return _pair_state(path)
    if path.suffix.lower() == ".safetensors":
        state = _load_safetensors(path)
    elif path.suffix.lower() in SUFFIXES:
        state = _unnest(_load_pickle(path), path)
    else:
        raise UnsupportedModelError(f"'{path.name}' is no checkpoint; known kinds: {', '.join(SUFFIXES)}.")
    _check_tensors(state, path)
    return state


def _pair_state(path: Path) -> dict[str, Tensor]:
    import torch

    from engine.ncnn import read_pair

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
        from engine.ncnn import read_pair

        return read_pair(path).state
    if path.suffix.lower() == ".safetensors" and (arrays := _safetensors_arrays(path)) is not None:
        return arrays
    return {key: value.float().numpy() for key, value in load_state_dict(path).items()}


def _safetensors_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """None for number types that numpy does not know (bfloat16), and for damaged files: reading them anew says how."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = {key: np.asarray(value, np.float32) for key, value in load_file(path).items()}
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return arrays if all(np.isfinite(value).all() for value in arrays.values()) else None


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path, device="cpu"))
    except (SafetensorError, OSError, ValueError) as error:
        _raise_if_out_of_memory(error)
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


def _load_pickle(path: Path) -> Any:
    import torch

    _check_archive(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsupportedModelError(
            f"'{path}' was refused: it holds something other than plain tensors, which could run code when loaded. "
            "Get the model from its original source, or as .safetensors."
        ) from error
    except Exception as error:  # a damaged archive raises anything from EOFError to RuntimeError
        _raise_if_out_of_memory(error)
        raise UnsupportedModelError(
            f"'{path}' is not a readable checkpoint ({type(error).__name__}); it may be cut off or of another kind."
        ) from error


def _raise_if_out_of_memory(error: Exception) -> None:
    """Short memory says nothing about the file."""
    from engine.backends.torch_backend import is_out_of_memory

    if is_out_of_memory(error) or "cannot allocate memory" in str(error).lower():
        raise MemoryError(str(error)) from error


def _unnest(content: Any, path: Path) -> dict[str, Tensor]:
    import torch

    for _ in range(3):
        if not isinstance(content, dict):
            break
        inner = next((content[key] for key in _NESTED if isinstance(content.get(key), dict)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, dict):
        raise UnsupportedModelError(f"'{path}' holds no state dict.")
    state = {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}
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
        from engine.ncnn import read_pair

        pair = read_pair(path)
        if pair.state is None:
            return pair.module(), pair.info
    return load_network(load_state_dict(path))


def load_network(state: dict[str, Tensor]) -> tuple[nn.Module, CheckpointInfo]:
    """Build the network that fits a state dict (fp32, ``eval`` mode, no gradients), and its facts.

    Raises:
        UnsupportedModelError: no known architecture fits, or it is not an image-to-image network.
        MemoryError: it does not fit into the free memory.
    """
    import torch
    from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedDtypeError
    from spandrel import UnsupportedModelError as Unknown

    from engine.faces.network import as_face_network, is_gfpgan, open_gfpgan

    full = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    try:
        descriptor = open_gfpgan(full) if is_gfpgan(full) else ModelLoader(device="cpu").load_from_state_dict(full)
    except (Unknown, UnsupportedDtypeError) as error:
        raise UnsupportedModelError("The checkpoint's architecture is not known.") from error
    except Exception as error:  # shapes that no one foresaw: anything from IndexError to ZeroDivisionError
        _raise_if_out_of_memory(error)
        raise UnsupportedModelError(f"The checkpoint's weights do not fit its architecture: {error}") from error
    if not isinstance(descriptor, ImageModelDescriptor):
        raise UnsupportedModelError(f"'{descriptor.architecture.name}' is not an image-to-image network.")
    network: nn.Module = as_face_network(descriptor) if descriptor.purpose == "FaceSR" else descriptor.model.eval()
    network.requires_grad_(False)
    return network.to(dtype=torch.float32), _describe(descriptor, state)


def _describe(descriptor: Any, state: dict[str, Tensor]) -> CheckpointInfo:
    kinds = {"SR": "upscale", "Restoration": "upscale", "FaceSR": "face"}
    needs = descriptor.size_requirements
    return CheckpointInfo(
        architecture=str(descriptor.architecture.name),
        kind=kinds.get(descriptor.purpose, "other"),
        scale=int(descriptor.scale),
        in_channels=int(descriptor.input_channels),
        out_channels=int(descriptor.output_channels),
        parameters=sum(tensor.numel() for tensor in state.values()),
        # spandrel asks for 4 from every ESRGAN that unshuffles; what is needed, and what the original pads to, is this.
        multiple_of=int(getattr(descriptor.model, "shuffle_factor", None) or needs.multiple_of or 1),
        minimum_size=int(needs.minimum or 1),
        receptive_radius=_receptive_radius(descriptor.model, descriptor.architecture.id),
        supports_half=bool(descriptor.supports_half),
        supports_bfloat16=bool(descriptor.supports_bfloat16),
    )


def _receptive_radius(network: nn.Module, architecture: str) -> int | None:
    """Exact for the compact networks: a plain chain of convolutions, each adding half its kernel."""
    from torch import nn

    if str(architecture) != "Compact":
        return None
    return sum((module.kernel_size[0] - 1) // 2 for module in network.modules() if isinstance(module, nn.Conv2d))


def inspect_checkpoint(path: Path) -> CheckpointInfo:
    """The facts of a checkpoint file. Takes seconds (imports torch); ``ModelStore`` remembers the answer."""
    try:
        if is_pair(path):
            from engine.ncnn import read_pair

            return read_pair(path).info
        return load_network(load_state_dict(path))[1]
    except UnsupportedModelError as error:
        text = str(error)
        raise UnsupportedModelError(text if str(path) in text else f"'{path}': {text}") from error
    except RuntimeError as error:
        _raise_if_out_of_memory(error)
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


def interpolate(strong: dict[str, Any], weak: dict[str, Any], strength: float) -> dict[str, Any]:
    """Deep network interpolation (Wang et al., CVPR 2019): ``strength * strong + (1 - strength) * weak``.

    Args:
        strong, weak: tensors, or arrays, under the same names; narrow floating-point ones are mixed as float32.

    Raises:
        UnsupportedModelError: the two do not have the same keys and shapes.
    """
    if strong.keys() != weak.keys() or any(strong[key].shape != weak[key].shape for key in strong):
        raise UnsupportedModelError("The model and its weak-denoise twin do not have the same architecture.")

    def mix(a: Any, b: Any) -> Any:
        if isinstance(a, np.ndarray):
            return (strength * a + (1 - strength) * b).astype(np.float32)
        return strength * a.float() + (1 - strength) * b.float() if a.is_floating_point() else a

    return {key: mix(tensor, weak[key]) for key, tensor in strong.items()}
