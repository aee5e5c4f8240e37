"""A linear path through SRVGGNetCompact: three of its channels carry the picture itself to the last layer.

The network adds what it computes to the picture enlarged by repeating pixels. Where it has nothing to say, the steps of
that enlargement stay: seen at edges between colours of like brightness, which photographs hardly hold. With the picture
itself among the last layer's inputs, interpolating is a linear map of 3x3 pixels away, learned at once and for every
colour alike. No shape changes, so whatever loads the architecture loads the result.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn


def open_linear_path(network: nn.Module) -> None:
    """Give, in every layer, the channels that matter least to the picture. In place; the last layer then ignores them.

    There are as many as the input has: three, or twelve of an unshuffled picture.

    A channel's importance is its mean outgoing weight. After this the network computes what it did without those
    channels; :func:`fit_last_layer` puts the new ones to use.
    """
    body = network.body
    convs = [module for module in body if isinstance(module, nn.Conv2d)]
    slopes = [module for module in body if isinstance(module, nn.PReLU)]
    carriers = torch.arange(convs[0].in_channels)
    with torch.no_grad():
        for conv, slope, following in zip(convs[:-1], slopes, convs[1:], strict=True):
            importance = following.weight.abs().mean(dim=(0, 2, 3)) * conv.weight.abs().mean(dim=(1, 2, 3))
            chosen = importance.argsort()[: convs[0].in_channels]
            conv.weight[chosen] = 0
            conv.weight[chosen, carriers, 1, 1] = 1
            conv.bias[chosen] = 0
            slope.weight[chosen] = 1  # PReLU of slope 1 is the identity
            following.weight[:, chosen] = 0
            carriers = chosen


def fit_last_layer(network: nn.Module, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Set the last layer to the least squares fit of its 3x3 inputs to the residual. In place.

    Args:
        network: SRVGGNetCompact; with an attribute ``unshuffle``, one whose input is unshuffled by so much before.
        batches: pairs of inputs ``(N, 3, h, w)`` and targets ``(N, 3, s*h, s*w)``, float in 0..1.

    Returns:
        The mean squared error of the fit.
    """
    last = network.body[-1]
    scale, unshuffle = network.upscale, getattr(network, "unshuffle", 1)
    size = last.in_channels * 9 + 1
    gram = torch.zeros(size, size, dtype=torch.float64)
    cross = torch.zeros(size, last.out_channels, dtype=torch.float64)
    energy, count = 0.0, 0
    with torch.no_grad():
        for inputs, targets in batches:
            features = nn.functional.pixel_unshuffle(inputs, unshuffle)
            for module in network.body[:-1]:
                features = module(features)
            columns = nn.functional.unfold(features, 3, padding=1).transpose(1, 2).reshape(-1, size - 1)
            columns = torch.cat([columns, torch.ones(len(columns), 1)], dim=1)
            residual = targets - nn.functional.interpolate(inputs, scale_factor=scale, mode="nearest")
            wanted = (
                nn.functional.pixel_unshuffle(residual, scale * unshuffle)
                .permute(0, 2, 3, 1)
                .reshape(-1, last.out_channels)
            )
            gram += (columns.T @ columns).double()
            cross += (columns.T @ wanted).double()
            energy += float((wanted.double() ** 2).sum())
            count += wanted.numel()
        ridge = 1e-5 * gram.diagonal().mean() * torch.eye(size, dtype=torch.float64)
        solution = torch.linalg.solve(gram + ridge, cross)
        weight = solution[:-1].T.reshape(last.out_channels, last.in_channels, 3, 3)
        last.weight.copy_(weight)
        last.bias.copy_(solution[-1])
    return (energy - float((solution * cross).sum())) / count


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """``(N, h, w, 3) uint8`` as ``(N, 3, h, w)`` float in 0..1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
