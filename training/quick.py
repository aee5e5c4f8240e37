"""Untrained quick networks (``engine.models.quick_network``), and how they take over another network's weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from engine.models.quick_network import CONVS, FEATURES, QuickNetwork


def build(scale: int, unshuffle: int | None = None, features: int = FEATURES, convs: int = CONVS) -> QuickNetwork:
    """A quick network untrained, initialised so that it trains (as ``training.train.build``).

    Args:
        unshuffle: by how much the input is unshuffled; None: so that the body works on a quarter of the output's side.
    """
    from training.linear_path import open_linear_path

    network = QuickNetwork(scale, unshuffle=unshuffle or 4 // scale, features=features, convs=convs)
    for module in network.body:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=0.25)
            nn.init.zeros_(module.bias)
    with torch.no_grad():
        network.body[-1].weight.mul_(0.02)
    open_linear_path(network)
    return network


def begin_with(network: QuickNetwork, state: Mapping[str, torch.Tensor]) -> bool:
    """Take the weights of a trained quick network, or of an SRVGGNetCompact of three channels. In place.

    One of the same shape takes them all: False. Another one takes as many layers as it has, but not the last; an
    unshuffled network so that it does what that one does with the picture reduced by 2 (the mean of each 2x2 pixels).
    A linear path then carries the picture itself, and ``fit_last_layer`` has to make a last layer: True.

    Raises:
        ValueError: the trained network has fewer layers.
    """
    from training.linear_path import open_linear_path

    taken = {key: value.float().clone() for key, value in state.items()}
    own = network.state_dict()
    if len(taken) < len(own):
        raise ValueError("The network to begin with has fewer layers than the one that is taught.")
    if {key: value.shape for key, value in taken.items()} == {key: value.shape for key, value in own.items()}:
        network.load_state_dict(taken)
        return False
    if taken["body.0.weight"].shape[1] != network.body[0].in_channels:
        taken["body.0.weight"] = spread_over_pixels(taken["body.0.weight"], network.unshuffle)
    last = f"body.{len(network.body) - 1}."
    network.load_state_dict({key: value if key.startswith(last) else taken[key] for key, value in own.items()})
    open_linear_path(network)
    return True


def spread_over_pixels(weight: torch.Tensor, unshuffle: int) -> torch.Tensor:
    """A first layer ``(out, 3, 3, 3)`` for unshuffled pictures: what it did with one pixel, with a square's mean."""
    return weight.repeat_interleave(unshuffle**2, dim=1) / unshuffle**2
