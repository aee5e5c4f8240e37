"""Weights rounded to a 16-bit number type so that no convolution's sum changes.

Rounded one by one, the errors of a kernel's weights add up at random, and as neighbouring pixels are alike, that sum
scales whatever the kernel sees: brightness and colour move. Here each weight takes over what the rounding of those
before it left, from the largest, whose steps are the coarsest, to the smallest: the sum is off by no more than half
the finest step (error diffusion, Floyd and Steinberg 1976, along a kernel). It costs nothing when pictures run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


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


def round_convolutions(network: nn.Module, dtype: torch.dtype) -> None:
    """``keep_sums`` for every convolution of a network, in place; the weights stay in their own number type."""
    import torch

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.data = keep_sums(module.weight.data, dtype)
