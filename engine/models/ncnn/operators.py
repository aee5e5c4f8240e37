"""What one ncnn layer is to PyTorch, and its activations.

Everything about a layer is checked when the graph is read; torch is imported when it runs. Blobs are tensors with a
batch in front: three-dimensional ones ``(N, C, H, W)``, vectors ``(N, C)``; constants have a batch of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.models.ncnn.param import Layer
from engine.models.ncnn.weights import LayerWeights

if TYPE_CHECKING:
    from torch import Tensor, nn

RunLayer = Callable[["nn.Module", "list[Tensor]"], "Tensor"]
Elementwise = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True)
class Operator:
    """A layer ready to be run.

    Attributes:
        run: maps the layer's module (an empty one where it has no weights) and its inputs to its output.
        make: builds the module from the layer's weights.
        pools: whether it is the mean of each channel over the whole picture.
        inputs: how many inputs it may have, least and most.
    """

    run: RunLayer
    make: Callable[[LayerWeights], nn.Module] | None = None
    pools: bool = False
    inputs: tuple[int, int] = (1, 1)


Builder = Callable[[Layer], Operator]


def need(condition: bool, what: str) -> None:
    """Raise ``ValueError`` unless ``condition``."""
    if not condition:
        raise ValueError(f"{what} cannot be run here")


def bounded(layer: Layer, key: int, default: int, low: int, high: int) -> int:
    """A whole-number parameter within limits. Raises ``ValueError``."""
    value = layer.integer(key, default)
    need(low <= value <= high, f"parameter {key}={value}")
    return value


def elementwise(function: Elementwise) -> Operator:
    """An operator that treats every value alike."""
    return Operator(lambda module, inputs: function(inputs[0]))


def identity(x: Tensor) -> Tensor:
    """No change."""
    return x


def leaky(slope: float) -> Elementwise:
    """ReLU whose negative side has a slope, 0 for the plain one."""

    def run(x: Tensor) -> Tensor:
        from torch.nn.functional import leaky_relu

        return x.relu() if slope == 0 else leaky_relu(x, slope)

    return run


def clip(low: float, high: float) -> Elementwise:
    """Values held between two bounds."""
    return lambda x: x.clamp(low, high)


def sigmoid(x: Tensor) -> Tensor:
    """The logistic function."""
    return x.sigmoid()


def mish(x: Tensor) -> Tensor:
    """Mish (Misra, 2019)."""
    from torch.nn.functional import mish as function

    return function(x)


def swish(x: Tensor) -> Tensor:
    """``x * sigmoid(x)``."""
    from torch.nn.functional import silu

    return silu(x)


def hard_sigmoid(alpha: float, beta: float) -> Elementwise:
    """A straight line held between 0 and 1."""
    return lambda x: (x * alpha + beta).clamp(0, 1)


def hard_swish(alpha: float, beta: float) -> Elementwise:
    """``x`` times ``hard_sigmoid(x)``."""
    return lambda x: x * (x * alpha + beta).clamp(0, 1)


def gelu(fast: bool) -> Elementwise:
    """GELU (Hendrycks and Gimpel, 2016); ``fast``: its tanh approximation."""

    def run(x: Tensor) -> Tensor:
        from torch.nn.functional import gelu as function

        return function(x, approximate="tanh" if fast else "none")

    return run


def elu(alpha: float) -> Elementwise:
    """ELU (Clevert et al., 2016)."""

    def run(x: Tensor) -> Tensor:
        from torch.nn.functional import elu as function

        return function(x, alpha)

    return run


def fused(kind: int, values: Sequence[float]) -> Elementwise:
    """The activation that another layer holds: 0 none, 1 ReLU, 2 leaky, 3 clip, 4 sigmoid, 5 mish, 6 hard swish.

    Raises:
        ValueError: it is another kind, or lacks its values.
    """
    plain = {0: identity, 1: leaky(0.0), 4: sigmoid, 5: mish}
    if kind in plain:
        return plain[kind]
    if kind == 2 and len(values) >= 1:
        return leaky(values[0])
    if kind == 3 and len(values) >= 2:
        return clip(values[0], values[1])
    if kind == 6 and len(values) >= 2:
        return hard_swish(values[0], values[1])
    raise ValueError(f"activation {kind} with {len(values)} values is not known")
