"""What a graph computes, written so that two graphs computing the same way compare equal.

Every value is a number that stands for one operator applied to earlier values; equal operators on equal values get
the same number (hash-consing). Copies (Split), fused and separate activations, and the several ways to write a weighted
sum all come out alike, whatever the layers and blobs are called.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from engine.models.ncnn.param import Graph, Layer


class OtherGraphError(Exception):
    """The graph has a layer that none of the recognised architectures has."""


@dataclass
class Terms:
    """Values by what they are computed from.

    Attributes:
        convolutions, slopes, constants: names of the layers that hold weights, in the graph's order; the terms refer
            to them by position.
        constant_terms: the numbers of the constants, and their positions.
    """

    convolutions: list[str] = field(default_factory=list)
    slopes: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    constant_terms: dict[int, int] = field(default_factory=dict)
    _known: dict[Hashable, int] = field(default_factory=dict)
    _sums: dict[int, tuple[tuple[int, float], ...]] = field(default_factory=dict)

    def term(self, *parts: Hashable) -> int:
        """The number of that operator on those values."""
        return self._known.setdefault(parts, len(self._known))

    def picture(self) -> int:
        """The graph's input."""
        return self.term("input")

    def convolution(self, x: int, position: int) -> int:
        """The ``position``-th convolution: stride 1, sides kept by zero padding."""
        return self.term("convolution", x, position)

    def leaky(self, x: int, slope: float) -> int:
        """Leaky ReLU."""
        return self.term("leaky", x, round(slope, 6))

    def prelu(self, x: int, position: int) -> int:
        """ReLU with the ``position``-th vector of slopes."""
        return self.term("prelu", x, position)

    def weighted_sum(self, parts: Iterable[tuple[int, float]]) -> int:
        """Values times factors, added up."""
        total: dict[int, float] = {}
        for x, factor in parts:
            only = self._sums.get(x, ())
            if len(only) == 1:
                x, factor = only[0][0], factor * only[0][1]
            total[x] = total.get(x, 0.0) + factor
        found = tuple(sorted((x, round(factor, 6)) for x, factor in total.items()))
        if len(found) == 1 and found[0][1] == 1:
            return found[0][0]
        number = self.term("sum", found)
        self._sums[number] = found
        return number

    def product(self, a: int, b: int) -> int:
        """Two values multiplied."""
        return self.term("product", min(a, b), max(a, b))

    def minus_constant(self, x: int, position: int) -> int:
        """A value less the ``position``-th constant."""
        return self.term("minus", x, position)

    def shift(self, x: int, by: float) -> int:
        """A value plus a number."""
        return self.term("shift", x, round(by, 6))

    def join(self, *parts: int) -> int:
        """Channels one after the other."""
        return self.term("join", parts)

    def nearest(self, x: int, factor: int) -> int:
        """Every pixel repeated ``factor`` times along both axes."""
        return x if factor == 1 else self.term("nearest", x, factor)

    def shuffle(self, x: int, factor: int) -> int:
        """Channels to pixels; a negative factor: pixels to channels."""
        return x if abs(factor) == 1 else self.term("shuffle", x, factor)


def translate(graph: Graph) -> tuple[Terms, int]:
    """The terms of a graph, and the number of its output.

    Raises:
        OtherGraphError: some layer has no term.
    """
    terms = Terms()
    values = {graph.input: terms.picture()}
    for layer in graph.layers:
        if layer.type == "Input":
            continue
        rule = _RULES.get(layer.type)
        if rule is None or len(layer.outputs) != 1 and layer.type != "Split":
            raise OtherGraphError(str(layer))
        try:
            value = rule(terms, layer, [values[blob] for blob in layer.inputs])
        except (ValueError, IndexError, ZeroDivisionError, TypeError) as error:
            raise OtherGraphError(str(layer)) from error
        values.update(dict.fromkeys(layer.outputs, value))
    return terms, values[graph.output]


def _need(condition: bool) -> None:
    if not condition:
        raise ValueError("none of the recognised architectures has this")


def _convolution(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    kernel = layer.integer(1, 0)
    left = layer.integer(4, 0)
    pads = (left, layer.integer(15, left), layer.integer(14, left), layer.integer(16, layer.integer(14, left)))
    _need(kernel % 2 == 1 and layer.integer(11, kernel) == kernel and set(pads) == {kernel // 2})
    _need(all(layer.integer(key, 1) == 1 for key in (2, 3, 12, 13)) and layer.number(18, 0) == 0)
    _need(layer.integer(5, 0) == 1 and not layer.integer(8, 0))
    terms.convolutions.append(layer.name)
    value = terms.convolution(inputs[0], len(terms.convolutions) - 1)
    activation = layer.integer(9, 0)
    _need(activation in (0, 1, 2))
    return value if activation == 0 else terms.leaky(value, layer.array(10)[0] if activation == 2 else 0.0)


def _prelu(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    terms.slopes.append(layer.name)
    return terms.prelu(inputs[0], len(terms.slopes) - 1)


def _memory_data(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    terms.constants.append(layer.name)
    number = terms.term("constant", len(terms.constants) - 1)
    terms.constant_terms[number] = len(terms.constants) - 1
    return number


def _binary(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    operator, by = layer.integer(0, 0), layer.number(2, 0.0)
    if layer.integer(1, 0):
        _need(operator in (0, 1, 2, 3))
        if operator in (0, 1):
            return terms.shift(inputs[0], by if operator == 0 else -by)
        return terms.weighted_sum([(inputs[0], by if operator == 2 else 1 / by)])
    a, b = inputs
    if operator == 1 and b in terms.constant_terms:
        return terms.minus_constant(a, terms.constant_terms[b])
    _need(operator in (0, 1, 2) and not {a, b} & terms.constant_terms.keys())
    return terms.product(a, b) if operator == 2 else terms.weighted_sum([(a, 1.0), (b, 1.0 if operator == 0 else -1.0)])


def _eltwise(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    operator, factors = layer.integer(0, 0), layer.array(1)
    if operator == 0:
        a, b = inputs
        return terms.product(a, b)
    _need(operator == 1 and len(factors) in (0, len(inputs)))
    return terms.weighted_sum(zip(inputs, factors or [1.0] * len(inputs), strict=True))


def _concat(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    _need(layer.integer(0, 0) in (0, -3))
    return terms.join(*inputs)


def _interp(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    factor = layer.number(1, 1.0)
    _need(len(inputs) == 1 and layer.integer(0, 0) == 1 and layer.number(2, 1.0) == factor == int(factor) >= 1)
    _need(not any(layer.params.get(key) for key in (3, 4, 5, 6, 9)))
    return terms.nearest(inputs[0], int(factor))


def _shuffle(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    _need(layer.integer(1, 0) == 0 and layer.integer(0, 1) >= 1)
    return terms.shuffle(inputs[0], layer.integer(0, 1) * (1 if layer.type == "PixelShuffle" else -1))


def _same(terms: Terms, layer: Layer, inputs: list[int]) -> int:
    (value,) = inputs
    return value


def _named(name: str) -> Callable[[Terms, Layer, list[int]], int]:
    return lambda terms, layer, inputs: terms.term(name, *inputs)


_RULES: Mapping[str, Callable[[Terms, Layer, list[int]], int]] = {
    "Convolution": _convolution,
    "PReLU": _prelu,
    "MemoryData": _memory_data,
    "BinaryOp": _binary,
    "Eltwise": _eltwise,
    "Concat": _concat,
    "Interp": _interp,
    "PixelShuffle": _shuffle,
    "Reorg": _shuffle,
    "Split": _same,
    "Noop": _same,
    "Dropout": _same,
    "ReLU": lambda terms, layer, inputs: terms.leaky(inputs[0], layer.number(0, 0.0)),
    "Swish": _named("swish"),
    "Sigmoid": _named("sigmoid"),
}
