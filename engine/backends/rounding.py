"""Weights rounded to a 16-bit number type so that no convolution's sum changes.

Rounded one by one, the errors of a kernel's weights add up at random, and as neighbouring pixels are alike, that sum
scales whatever the kernel sees: brightness and colour move. Here each weight takes over what the rounding of those
before it left, from the largest, whose steps are the coarsest, to the smallest: the sum is off by no more than half
the finest step (error diffusion, Floyd and Steinberg 1976, along a kernel).

Biases are rounded by the runtimes as well. A channel is scaled by the 0.4 per cent at most that make its bias a value
that the number type holds, and whoever reads the channel is scaled back.

Neither costs anything when pictures run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.backends.exact_input import scalable_pairs

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engine.checkpoints import CheckpointInfo


def keep_sums(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """``(out, in, height, width)`` kernels with values that ``dtype`` holds, each kernel's sum nearly as it was."""
    import torch

    kernels = weight.flatten(2).flatten(0, 1)
    order = kernels.abs().argsort(1, descending=True)
    exact = kernels.gather(1, order).t().contiguous()  # one row a rank: nine long steps instead of many short ones
    rounded = torch.empty_like(exact)
    owed = torch.zeros_like(exact[0])
    for rank, values in enumerate(exact):
        wanted = values + owed
        rounded[rank] = wanted.to(dtype)
        owed = wanted - rounded[rank]
    return torch.empty_like(kernels).scatter_(1, order, rounded.t()).view_as(weight)


def fit_bias(convolution: Any, readers: list[tuple[Any, int]], dtype: torch.dtype) -> None:
    """Scale a convolution's channels so that ``dtype`` holds its biases; ``readers``: see ``scalable_pairs``."""
    import torch

    if convolution.bias is None:
        return
    bias = convolution.bias.data
    held = bias.to(dtype).to(bias.dtype)
    factor = held / bias
    factor = torch.where((factor - 1).abs() < 2**-8, factor, torch.ones_like(factor))  # zero; too small for ``dtype``
    convolution.weight.data.mul_(factor.view(-1, 1, 1, 1))
    bias.copy_(held)
    for reader, at in readers:
        reader.weight.data[:, at : at + len(factor)].div_(factor.view(1, -1, 1, 1))


def round_network(network: nn.Module, info: CheckpointInfo, dtype: torch.dtype) -> None:
    """Make a network from ``with_exact_input`` fit ``dtype``, in place; its weights stay in their own number type."""
    import torch

    with torch.no_grad():
        for convolution, readers in scalable_pairs(network, info):
            fit_bias(convolution, readers, dtype)
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.data = keep_sums(module.weight.data, dtype)
