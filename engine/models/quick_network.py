"""SRVGGNetCompact (Wang et al., Real-ESRGAN, 2021), also behind a pixel-unshuffle: the shapes of quick networks.

``quick-x4``, ``quick-x2`` and ``quick-anime-x2`` have the official keys and shapes. One that is unshuffled has the same
keys; for x2 its first layer takes 12 channels, its last gives 48: the picture is unshuffled by 2, enlarged by 4, and
added to the input enlarged by 2. So it works on a quarter of the pixels. Its first layer's channels alone tell it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

FEATURES, CONVS = 64, 16


class QuickNetwork(nn.Module):
    """``(N, 3, H, W)`` in 0..1 to ``(N, 3, scale * H, scale * W)``; sides must be multiples of ``unshuffle``.

    Attributes:
        upscale: output side / input side.
        unshuffle: by how much the input is unshuffled before the first layer.
        body: convolutions and PReLUs in turn, under the keys of SRVGGNetCompact.
    """

    def __init__(self, upscale: int, unshuffle: int, features: int = FEATURES, convs: int = CONVS) -> None:
        super().__init__()
        self.upscale, self.unshuffle = upscale, unshuffle
        inputs, outputs = 3 * unshuffle**2, 3 * (upscale * unshuffle) ** 2
        widths = [inputs] + [features] * (convs + 1)
        self.body = nn.ModuleList()
        for before, after in zip(widths[:-1], widths[1:], strict=True):
            self.body.extend((nn.Conv2d(before, after, 3, 1, 1), nn.PReLU(after)))
        self.body.append(nn.Conv2d(features, outputs, 3, 1, 1))
        self.upsampler = nn.PixelShuffle(upscale * unshuffle)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The enlarged pictures, as the class says."""
        found = nn.functional.pixel_unshuffle(inputs, self.unshuffle)
        for module in self.body:
            found = module(found)
        residual: torch.Tensor = self.upsampler(found)
        return residual + nn.functional.interpolate(inputs, scale_factor=self.upscale, mode="nearest")


def _convolutions(state: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    """The weights of the convolutions in their order; none where a key is not of SRVGGNetCompact."""
    parts = [key.split(".") for key in state]
    if any(len(part) != 3 or part[0] != "body" or not part[1].isdecimal() for part in parts):
        return []
    numbers = sorted(int(number) for _, number, kind in parts if kind == "weight")
    return [weight for number in numbers if (weight := state[f"body.{number}.weight"]).ndim == 4]


def is_unshuffled(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether a state dict is of SRVGGNetCompact behind a 2x pixel-unshuffle: 12 channels in, colours out."""
    weights = _convolutions(state)
    return len(weights) > 1 and weights[0].shape[1] == 12 and weights[-1].shape[0] in (12, 48, 192)


def from_state(state: Mapping[str, torch.Tensor]) -> QuickNetwork:
    """The quick network whose weights these are: which one follows from the first and the last layer's channels.

    Raises:
        RuntimeError: the tensors do not fit.
    """
    weights = _convolutions(state)
    unshuffle = round((weights[0].shape[1] / 3) ** 0.5)
    network = QuickNetwork(
        upscale=round((weights[-1].shape[0] / 3) ** 0.5) // unshuffle,
        unshuffle=unshuffle,
        features=weights[0].shape[0],
        convs=len(weights) - 2,
    )
    network.load_state_dict({key: value.float() for key, value in state.items()})
    return network.eval()


def open_unshuffled(state: Mapping[str, torch.Tensor]) -> ImageModelDescriptor[nn.Module]:
    """A spandrel descriptor of the unshuffled network, which spandrel itself takes for one of twelve colours.

    Raises:
        RuntimeError: the tensors do not fit.
    """
    from spandrel import ImageModelDescriptor, SizeRequirements
    from spandrel.architectures.Compact import CompactArch

    network = from_state(state)
    return ImageModelDescriptor(
        network,
        dict(state),
        architecture=CompactArch(),
        purpose="SR",
        tags=[],
        supports_half=True,
        supports_bfloat16=True,
        scale=network.upscale,
        input_channels=3,
        output_channels=3,
        size_requirements=SizeRequirements(multiple_of=network.unshuffle),
    )
