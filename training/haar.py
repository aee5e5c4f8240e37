"""HaarPSI as something to learn by: means of errors leave texture out, and the magnitudes of wavelets miss it.

Reisenhofer, Bosse, Kutyniok, Wiegand, "A Haar wavelet-based perceptual similarity index for image quality assessment",
2018. ``utils.similarity.haarpsi`` computes the same for two planes.
"""

from __future__ import annotations

import torch
from torch.nn import functional

_C, _ALPHA = 30.0, 4.2
_SCALES = 3
_LUMA = (0.299, 0.587, 0.114)


def haar_distance(output: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """One minus HaarPSI of the luma, ``(N, 3, H, W)`` in 0..1; mean of that of the halved pictures, as it is defined,
    and of the pictures as they are, whose finest wavelets it does not see otherwise."""
    planes = [_luma(pictures) for pictures in (output, wanted)]
    halved = [functional.avg_pool2d(plane, 2) for plane in planes]
    return 1 - (haarpsi(*halved) + haarpsi(*planes)) / 2


def haarpsi(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Of planes ``(N, 1, H, W)`` in 0..255 that are halved already; the mean of the pictures, 0..1."""
    waves = [[_haar(plane, scale) for scale in range(1, _SCALES + 1)] for plane in (first, second)]
    alike = torch.zeros_like(waves[0][0])
    for one, other in zip(waves[0][:-1], waves[1][:-1], strict=True):
        alike = alike + (2 * one * other + _C) / (one.square() + other.square() + _C) / (_SCALES - 1)
    weight = torch.maximum(waves[0][-1], waves[1][-1])
    counted = (weight * torch.sigmoid(_ALPHA * alike)).sum((1, 2, 3))
    share = (counted + 1e-6) / (weight.sum((1, 2, 3)) + 1e-6)
    return (torch.logit(share, 1e-6) / _ALPHA).square().clamp(max=1).mean()


def _luma(pictures: torch.Tensor) -> torch.Tensor:
    weights = torch.tensor(_LUMA, device=pictures.device).reshape(1, 3, 1, 1) * 255
    return (pictures.float() * weights).sum(1, keepdim=True)


def _haar(plane: torch.Tensor, scale: int) -> torch.Tensor:
    """``(N, 2, H, W)``: magnitudes of the Haar wavelet of side ``2 ** scale`` across and along, zeros beyond the edges.

    Differences of sums over boxes: a convolution of a side of 8 would cost more than the network's step.
    """
    side = 2**scale
    before, after = side // 2 - 1, side // 2
    padded = functional.pad(plane, (before, after, before, after))
    half = side // 2
    boxes = functional.avg_pool2d(padded, half, stride=1) * (side / 4)
    top, bottom = boxes[..., :-half, :], boxes[..., half:, :]
    across = (top[..., :-half] + top[..., half:]) - (bottom[..., :-half] + bottom[..., half:])
    along = (top[..., :-half] - top[..., half:]) + (bottom[..., :-half] - bottom[..., half:])
    return torch.cat([across, along], 1).abs()


__all__ = ["haar_distance", "haarpsi"]
