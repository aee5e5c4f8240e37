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

import numpy as np

from engine.backends.exact_input import scalable_pairs

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engine.backends.array_networks import Convolution, Pairs
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


# -- the same for weights in numpy -------------------------------------------------------------------------------------


def rounded(values: np.ndarray, precision: str) -> np.ndarray:
    """float32 values to the nearest that "bf16" or "fp16" holds, ties to even, still as float32."""
    if precision == "fp16":
        return values.astype(np.float16).astype(np.float32)
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)


def keep_array_sums(weight: np.ndarray, precision: str) -> np.ndarray:
    """``keep_sums`` for ``(out, in, height, width) float32`` in numpy."""
    kernels = weight.reshape(-1, weight.shape[2] * weight.shape[3])
    order = np.argsort(-np.abs(kernels), axis=1, kind="stable")
    exact = np.ascontiguousarray(np.take_along_axis(kernels, order, axis=1).T)
    result = np.empty_like(exact)
    owed = np.zeros_like(exact[0])
    for rank, values in enumerate(exact):
        wanted = values + owed
        result[rank] = rounded(wanted, precision)
        owed = wanted - result[rank]
    back = np.empty_like(kernels)
    np.put_along_axis(back, order, result.T, axis=1)
    return back.reshape(weight.shape)


def fit_arrays(convolutions: list[Convolution], pairs: Pairs, precision: str) -> None:
    """Make convolutions fit a narrow number type, in place; see ``fit_bias`` for ``pairs``. fp32 is left alone."""
    if precision == "fp32":
        return
    for convolution, readers in pairs:
        bias = convolution.bias
        held = rounded(bias, precision)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = held / bias
        factor = np.where(np.abs(factor - 1) < 2**-8, factor, 1).astype(np.float32)  # zero; too small for the type
        convolution.weight *= factor[:, None, None, None]
        convolution.bias = held
        for reader, at in readers:
            reader.weight[:, at : at + len(factor)] /= factor[None, :, None, None]
    for convolution in convolutions:
        convolution.weight = keep_array_sums(convolution.weight, precision)


def round_in_turn(convolutions: list[Convolution], precision: str) -> None:
    """Round the biases of convolutions that add to one sum so that the sum of them stays: each takes over what the
    rounding of those before it left. In place; fp32 is left alone."""
    if precision == "fp32" or not convolutions:
        return
    owed = np.zeros_like(convolutions[0].bias)
    for convolution in convolutions:
        wanted = convolution.bias + owed
        convolution.bias = rounded(wanted, precision)
        owed = wanted - convolution.bias
