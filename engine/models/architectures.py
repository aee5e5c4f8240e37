"""The network that fits a state dict, in PyTorch, by spandrel's knowledge of architectures; and its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.models.info import CheckpointInfo
from utils import pytorch
from utils.errors import UnsupportedModelError
from utils.gpu import is_out_of_memory

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor
    from torch import Tensor, nn


def load_network(state: dict[str, Tensor]) -> tuple[nn.Module, CheckpointInfo]:
    """Build the network that fits a state dict (fp32, ``eval`` mode, no gradients), and its facts.

    Raises:
        UnsupportedModelError: no known architecture fits, or it is not an image-to-image network.
        MissingPackageError: torch is not installed.
        MemoryError: it does not fit into the free memory.
    """
    pytorch.require("This network")
    import torch
    from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedDtypeError
    from spandrel import UnsupportedModelError as Unknown

    from engine.models.face_network import as_face_network, is_gfpgan, open_gfpgan
    from engine.models.quick_network import is_unshuffled, open_unshuffled

    full = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    try:
        if is_gfpgan(full):
            descriptor = open_gfpgan(full)
        elif is_unshuffled(full):
            descriptor = open_unshuffled(full)
        else:
            descriptor = ModelLoader(device="cpu").load_from_state_dict(full)
    except (Unknown, UnsupportedDtypeError) as error:
        raise UnsupportedModelError("The checkpoint's architecture is not known.") from error
    except Exception as error:  # shapes that no one foresaw: anything from IndexError to ZeroDivisionError
        raise_if_out_of_memory(error)
        raise UnsupportedModelError(f"The checkpoint's weights do not fit its architecture: {error}") from error
    if not isinstance(descriptor, ImageModelDescriptor):
        raise UnsupportedModelError(f"'{descriptor.architecture.name}' is not an image-to-image network.")
    network: nn.Module = as_face_network(descriptor) if descriptor.purpose == "FaceSR" else descriptor.model.eval()
    network.requires_grad_(False)
    return network.to(dtype=torch.float32), _describe(descriptor, state)


def _describe(descriptor: ImageModelDescriptor[nn.Module], state: dict[str, Tensor]) -> CheckpointInfo:
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
    reach = sum((module.kernel_size[0] - 1) // 2 for module in network.modules() if isinstance(module, nn.Conv2d))
    # Behind a pixel-unshuffle each step is a block of pixels, and a pixel lies anywhere in its own.
    unshuffle = int(getattr(network, "unshuffle", 1))
    return reach * unshuffle + unshuffle - 1


def raise_if_out_of_memory(error: Exception) -> None:
    """Short memory says nothing about the file."""
    if is_out_of_memory(error) or "cannot allocate memory" in str(error).lower():
        raise MemoryError(str(error)) from error
