"""The operations of an OpenVINO graph, in the words of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.backends.array_networks import KEEP_FP32, Convolution

if TYPE_CHECKING:
    from utils.openvino import openvino


class GraphBuilder:
    """Operations in the order of a network's layers, with names that are the same at every start."""

    def __init__(self, channels: int) -> None:
        from utils.openvino import openvino

        self._ops, self._float, self._count = openvino.opset15, openvino.Type.f32, 0
        self.input: openvino.Node = self._ops.parameter(
            openvino.PartialShape([1, channels, -1, -1]), self._float, name="pixels"
        )

    def named(self, node: openvino.Node, prefix: str = "") -> openvino.Node:
        """Give it a name that follows from how many there were before."""
        self._count += 1
        node.set_friendly_name(f"{prefix}{node.get_type_name()}_{self._count}")
        return node

    def constant(self, values: np.ndarray | float) -> openvino.Node:
        """float32 values."""
        return self.named(self._ops.constant(np.ascontiguousarray(values, np.float32)))

    def add(self, a: openvino.Node, b: openvino.Node, prefix: str = "") -> openvino.Node:
        """The sum of two."""
        return self.named(self._ops.add(a, b), prefix)

    def multiply(self, a: openvino.Node, factor: float, prefix: str = "") -> openvino.Node:
        """Times a number."""
        return self.named(self._ops.multiply(a, self.constant(factor)), prefix)

    def convolve(self, maps: openvino.Node, layer: Convolution, prefix: str = "") -> openvino.Node:
        """A convolution with its bias."""
        return self.add(self._products(maps, layer, prefix), self.channels(layer.bias), prefix)

    def _products(self, maps: openvino.Node, layer: Convolution, prefix: str = "") -> openvino.Node:
        """A convolution without its bias."""
        return self.products(maps, self.constant(layer.weight), layer, prefix)

    def products(
        self, maps: openvino.Node, kernels: openvino.Node, layer: Convolution, prefix: str = ""
    ) -> openvino.Node:
        """The same with other kernels of the layer's shape."""
        pad = [layer.weight.shape[2] // 2, layer.weight.shape[3] // 2]
        return self.named(self._ops.convolution(maps, kernels, [1, 1], pad, pad, [1, 1]), prefix)

    def channels(self, values: np.ndarray) -> openvino.Node:
        """One value a channel, as a constant that maps can be added to."""
        return self.constant(values.reshape(1, -1, 1, 1))

    def exactly(self, maps: openvino.Node, layer: Convolution) -> openvino.Node:
        """A convolution whose bias is added in fp32: a rectifier that does nothing keeps it from being taken for one
        that the runtime rounds."""
        product = self.rectify(self._products(maps, layer), np.ones(1))
        return self.add(product, self.channels(layer.bias), KEEP_FP32)

    def rectify(self, maps: openvino.Node, slope: np.ndarray) -> openvino.Node:
        """PReLU."""
        return self.named(self._ops.prelu(maps, self.constant(slope)))

    def swish(self, maps: openvino.Node) -> openvino.Node:
        """x * sigmoid(x)."""
        return self.named(self._ops.swish(maps))

    def sigmoid(self, maps: openvino.Node, prefix: str = "") -> openvino.Node:
        """The logistic function."""
        return self.named(self._ops.sigmoid(maps), prefix)

    def product(self, a: openvino.Node, b: openvino.Node, prefix: str = "") -> openvino.Node:
        """Two multiplied."""
        return self.named(self._ops.multiply(a, b), prefix)

    def join(self, maps: list[openvino.Node], prefix: str = "") -> openvino.Node:
        """Channels one after the other."""
        return self.named(self._ops.concat(maps, 1), prefix)

    def enlarge(self, maps: openvino.Node, factor: int) -> openvino.Node:
        """Every pixel ``factor`` times in both directions."""
        scales = self.named(self._ops.constant(np.full(2, factor, np.float32)))
        axes = self.named(self._ops.constant(np.array([2, 3], np.int64)))
        return self.named(
            self._ops.interpolate(
                maps,
                scales,
                mode="nearest",
                shape_calculation_mode="scales",
                pads_begin=[0, 0, 0, 0],
                pads_end=[0, 0, 0, 0],
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
                antialias=False,
                cube_coeff=-0.75,
                axes=axes,
            )
        )

    def shuffle(self, maps: openvino.Node, factor: int) -> openvino.Node:
        """Channels to squares of pixels (pixel shuffle)."""
        return self.named(self._ops.depth_to_space(maps, "depth_first", factor))

    def unshuffle(self, maps: openvino.Node, factor: int) -> openvino.Node:
        """Squares of pixels to channels."""
        return self.named(self._ops.space_to_depth(maps, "depth_first", factor))

    def model(self, *outputs: openvino.Node) -> openvino.Model:
        """The whole."""
        from utils.openvino import openvino

        results = [self.named(self._ops.result(output)) for output in outputs]
        return openvino.Model(results, [self.input], "network")


__all__ = ["GraphBuilder"]
