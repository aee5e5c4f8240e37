"""The quick networks: SRVGGNetCompact (Wang et al., Real-ESRGAN, 2021), and the same behind a 2x pixel-unshuffle.

``quick-x4`` has the official keys and shapes. ``quick-x2`` has the same keys; its first layer takes 12 channels, its
last gives 48: the picture is unshuffled by 2, enlarged by 4, and added to the input enlarged by 2. So it works on a
quarter of the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

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

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        found = nn.functional.pixel_unshuffle(inputs, self.unshuffle)
        for module in self.body:
            found = module(found)
        residual = nn.functional.pixel_shuffle(found, self.upscale * self.unshuffle)
        return residual + nn.functional.interpolate(inputs, scale_factor=self.upscale, mode="nearest")


def build(scale: int, features: int = FEATURES, convs: int = CONVS) -> QuickNetwork:
    """``quick-x4`` or ``quick-x2`` untrained, initialised so that it trains (as ``training.train.build``)."""
    from training.linear_path import open_linear_path

    network = QuickNetwork(scale, unshuffle=4 // scale, features=features, convs=convs)
    for module in network.body:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=0.25)
            nn.init.zeros_(module.bias)
    with torch.no_grad():
        network.body[-1].weight.mul_(0.02)
    open_linear_path(network)
    return network


def begin_with(network: QuickNetwork, state: Mapping[str, torch.Tensor]) -> bool:
    """Take the weights of a trained network of the same shape, or of an SRVGGNetCompact (x4, three channels). In place.

    The unshuffled network takes them so that it does what that one does with the picture reduced by 2 (the mean of each
    2x2 pixels); a linear path then carries the picture itself, and ``fit_last_layer`` has to put it to use: True.
    """
    from training.linear_path import open_linear_path

    taken = {key: value.float().clone() for key, value in state.items()}
    if taken["body.0.weight"].shape[1] != network.body[0].in_channels:
        taken["body.0.weight"] = spread_over_pixels(taken["body.0.weight"], network.unshuffle)
        network.load_state_dict(taken)
        open_linear_path(network)
        return True
    network.load_state_dict(taken)
    return False


def spread_over_pixels(weight: torch.Tensor, unshuffle: int) -> torch.Tensor:
    """A first layer ``(out, 3, 3, 3)`` for unshuffled pictures: what it did with one pixel, with a square's mean."""
    return weight.repeat_interleave(unshuffle**2, dim=1) / unshuffle**2


def from_state(state: Mapping[str, torch.Tensor]) -> QuickNetwork:
    """The quick network whose weights these are: which one follows from the first and the last layer's channels."""
    convs = sorted((int(key.split(".")[1]), key) for key in state if key.endswith("weight") and state[key].ndim == 4)
    first, last = state[convs[0][1]], state[convs[-1][1]]
    unshuffle = round((first.shape[1] / 3) ** 0.5)
    network = QuickNetwork(
        upscale=round((last.shape[0] / 3) ** 0.5) // unshuffle,
        unshuffle=unshuffle,
        features=first.shape[0],
        convs=len(convs) - 2,
    )
    network.load_state_dict({key: value.float() for key, value in state.items()})
    return network.eval()
