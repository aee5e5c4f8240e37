"""A network's means over the whole picture, found with OpenVINO; see ``engine.pixels.pooling``.

The converted model holds each such mean as one operation. It is cut there: what comes before gives the maps, and a
mean that is known enters as an input of its own. So the converted file is the same as without, and a picture that is
one window runs the whole model as it is.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.base import Session
from engine.pixels.pooling import Means, PooledStages

if TYPE_CHECKING:
    from engine.backends.openvino_backend import OpenVinoSession
    from utils.openvino import openvino

Requests = queue.SimpleQueue["openvino.InferRequest"]
"""Those of one compiled model that are free."""
_KEPT_SHAPES = 2


def _means(model: openvino.Model) -> list[openvino.Node]:
    """The operations that take the mean of every map, in the order in which they run."""
    return [
        node
        for node in model.get_ordered_ops()
        if node.get_type_name() == "ReduceMean" and sorted(node.input_value(1).get_node().get_data().flat) == [2, 3]
    ]


def cut_model(model: openvino.Model, known: int) -> openvino.Model:
    """A copy with the first ``known`` means as inputs. It gives the maps of the next mean, or the picture after all."""
    from utils.openvino import openvino

    copy = model.clone()
    means = _means(copy)
    inputs = []
    for mean in means[:known]:
        value = openvino.opset13.parameter([1, mean.output(0).partial_shape[1].get_length()], np.float32)
        mean.output(0).replace(value.output(0))
        inputs.append(value)
    results = [openvino.opset13.result(means[known].input_value(0))] if known < len(means) else copy.get_results()
    return openvino.Model(results, [*copy.get_parameters(), *inputs], f"{model.get_friendly_name()}-{known}")


class OpenVinoStages(PooledStages):
    """Of a session whose model takes such means."""

    def __init__(
        self,
        session: OpenVinoSession,
        model: openvino.Model,
        channels: int,
        prepare: Callable[[openvino.Model, int, int], Requests],
    ) -> None:
        """``prepare`` compiles a cut model for windows of a size, as the session does with the whole one."""
        self._session, self._model, self._channels, self._prepare = session, model, channels, prepare
        self.parallelism = session.parallelism
        self._count = len(_means(model))
        self._lock = threading.Lock()
        self._requests: dict[tuple[int, int, int], Requests] = {}

    @property
    def count(self) -> int:
        return self._count

    def sides(self, side: int) -> list[int]:
        from utils.openvino import openvino

        model = self._model.clone()
        model.reshape(openvino.PartialShape([1, self._channels, side, side]))
        return [mean.input_value(0).shape[2] for mean in _means(model)]

    def sums(self, batch: np.ndarray, known: Means, rows: slice, columns: slice) -> np.ndarray:
        maps = self._session.translate(lambda: self.run(batch, known))
        return np.concatenate([some[:, rows, columns].sum((1, 2), dtype=np.float64) for some in maps])

    def run(self, batch: np.ndarray, known: Means) -> list[np.ndarray]:
        """For each of the batch ``(N, H, W, C)``: the model cut after ``known``, ``(1, h, w, maps) float32``."""
        _, height, width, _ = batch.shape
        requests = self._requests_for(len(known), height, width)
        request = requests.get()
        try:
            outputs = []
            for index, one in enumerate(batch):
                window = np.ascontiguousarray(one[None], dtype=np.float32)
                request.infer([window, *(values[index : index + 1] for values in known)], share_inputs=True)
                outputs.append(request.get_output_tensor().data.copy())
            return outputs
        finally:
            requests.put(request)

    def _requests_for(self, known: int, height: int, width: int) -> Requests:
        with self._lock:
            key = (known, height, width)
            if key not in self._requests:
                while len(self._requests) >= _KEPT_SHAPES * (self._count + 1):
                    self._requests.pop(next(iter(self._requests)))
                self._requests[key] = self._prepare(cut_model(self._model, known), height, width)
            return self._requests[key]

    def fixed(self, known: Means) -> Session:
        return _FixedSession(self._session, self, known)


class _FixedSession(Session):
    """A session whose network takes known means."""

    backend = "openvino"

    def __init__(self, session: OpenVinoSession, stages: OpenVinoStages, known: Means) -> None:
        self._session, self._stages, self._known = session, stages, list(known)
        self.device, self.precision, self.parallelism = session.device, session.precision, session.parallelism
        self.preferred_tile = session.preferred_tile

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return self._session.translate(lambda: np.concatenate(self._stages.run(batch, self._known)))

    def close(self) -> None:
        """Nothing of its own."""
