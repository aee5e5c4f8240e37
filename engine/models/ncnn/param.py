"""ncnn's text graph format (``.param``): layers, the blobs between them, and their parameters.

The format: the magic number 7767517, the counts of layers and blobs, then one layer a line: type, name, number of
inputs, number of outputs, their names, and ``key=value`` pairs. Arrays have the key ``-23300 - id`` and the value
``length,element,element...``. Described in ncnn's wiki, "param and model file structure".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.errors import UnsupportedModelError

MAGIC = 7767517
_LARGEST_FILE = 8 * 2**20
"""Bytes. RRDBNet-23, the longest one published, has 60 kB."""
_MOST_LAYERS = 5_000
_MOST_BLOBS = 25_000
_LONGEST_ARRAY = 1024
_MOST_PARAMS = 32
"""``NCNN_MAX_PARAM_COUNT``."""
_FIRST_ARRAY = -23300

Value = int | float | tuple[int | float, ...]


@dataclass(frozen=True)
class Layer:
    """One line of a ``.param`` file.

    Attributes:
        type: ncnn's name of the operator.
        name: unique within its graph.
        inputs, outputs: blob names.
        params: parameter id (0..31) to its value; arrays as tuples.
    """

    type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Mapping[int, Value]

    def integer(self, key: int, default: int) -> int:
        """A whole-number parameter. Raises ``ValueError`` when it is something else."""
        value = self.params.get(key, default)
        if isinstance(value, tuple) or value != int(value):
            raise ValueError(f"parameter {key} is not a whole number")
        return int(value)

    def number(self, key: int, default: float) -> float:
        """A parameter as a float. Raises ``ValueError`` when it is an array."""
        value = self.params.get(key, default)
        if isinstance(value, tuple):
            raise ValueError(f"parameter {key} is not a number")
        return float(value)

    def array(self, key: int) -> tuple[float, ...]:
        """An array parameter; empty where it is missing. Raises ``ValueError`` when it is a single number."""
        value = self.params.get(key, ())
        if not isinstance(value, tuple):
            raise ValueError(f"parameter {key} is not an array")
        return tuple(value)

    def __str__(self) -> str:
        return f"layer '{self.name[:80]}' ({self.type[:40]})"


@dataclass(frozen=True)
class Graph:
    """Layers in an order in which each finds its inputs already made.

    Attributes:
        layers: as in the file.
        input: blob that the picture goes into.
        output: blob that the result comes out of.
    """

    layers: tuple[Layer, ...]
    input: str
    output: str


def read_param(path: Path) -> Graph:
    """Read and check a text graph.

    Raises:
        UnsupportedModelError: the file is not a text graph, is damaged, or is not from one picture to one picture.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise ValueError("it is not a file")
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise ValueError(f"it has {size / 2**20:,.0f} MB, and no network's graph is that long")
        return _parse(path.read_bytes())
    except OSError as error:
        raise UnsupportedModelError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise UnsupportedModelError(f"'{path}' is not an ncnn graph that can be used: {error}.") from error


def _parse(content: bytes) -> Graph:
    if content[:4] == MAGIC.to_bytes(4, "little"):
        raise ValueError("it is the binary kind (.param.bin); use the text .param that it was made from")
    if content[: len(str(MAGIC))] != str(MAGIC).encode():
        raise ValueError(f"it does not begin with {MAGIC}, as every text graph does")
    lines = [tokens for line in content.split(b"\n") if (tokens := line.split())]
    if lines[0] != [str(MAGIC).encode()] or len(lines) < 2 or len(lines[1]) != 2:
        raise ValueError("the counts of layers and blobs are missing")
    layer_count, blob_count = (_whole(token.decode("ascii", "replace"), "a count") for token in lines[1])
    if not 1 <= layer_count <= _MOST_LAYERS or not 1 <= blob_count <= _MOST_BLOBS:
        raise ValueError(f"it claims {layer_count:,} layers and {blob_count:,} blobs")
    if len(lines) - 2 != layer_count:
        raise ValueError(f"it claims {layer_count:,} layers and has {len(lines) - 2:,}")
    layers = _with_unique_names([_layer(tokens, number + 3) for number, tokens in enumerate(lines[2:])])
    return _connect(layers, blob_count)


def _layer(tokens: list[bytes], number: int) -> Layer:
    try:
        words = [token.decode("utf-8") for token in tokens]
    except UnicodeDecodeError as error:
        raise ValueError(f"line {number} is not text") from error
    if not all(word.isprintable() for word in words):
        raise ValueError(f"line {number} is not text")
    if len(words) < 4:
        raise ValueError(f"line {number} is cut off")
    name = f"layer '{words[1][:80]}' in line {number}"
    ins, outs = (_whole(word, f"{name}: a count of blobs") for word in words[2:4])
    if ins < 0 or outs < 0 or ins + outs > len(words) - 4:
        raise ValueError(f"{name} claims {ins} inputs and {outs} outputs, which are not there")
    blobs, pairs = words[4 : 4 + ins + outs], words[4 + ins + outs :]
    return Layer(words[0], words[1], tuple(blobs[:ins]), tuple(blobs[ins:]), _params(pairs, name))


def _params(pairs: list[str], name: str) -> dict[int, Value]:
    params: dict[int, Value] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        identity = _whole(key, f"{name}: parameter '{pair[:40]}'")
        is_array = identity <= _FIRST_ARRAY
        identity = _FIRST_ARRAY - identity if is_array else identity
        if not equals or not 0 <= identity < _MOST_PARAMS or identity in params:
            raise ValueError(f"{name} has a parameter that cannot be: '{pair[:40]}'")
        if not is_array:
            params[identity] = _number(text, name)
            continue
        length, *elements = text.split(",")
        if _whole(length, f"{name}: an array's length") != len(elements) or len(elements) > _LONGEST_ARRAY:
            raise ValueError(f"{name} has an array whose length is not as it says: '{pair[:40]}'")
        params[identity] = tuple(_number(element, name) for element in elements)
    return params


def _whole(text: str, what: str) -> int:
    """32-bit signed; longer digit strings are refused before Python computes with them."""
    if len(text) <= 11 and text.removeprefix("-").isdecimal() and text.isascii():
        value = int(text)
        if -(2**31) <= value < 2**31:
            return value
    raise ValueError(f"{what} is not a whole number: '{text[:40]}'")


def _number(text: str, name: str) -> int | float:
    if "." not in text and "e" not in text.lower():
        return _whole(text, f"{name}: a parameter")
    try:
        value = float(text) if len(text) <= 40 and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 3.4e38:
        raise ValueError(f"{name}: a parameter is not a number: '{text[:40]}'")
    return value


def _with_unique_names(layers: list[Layer]) -> list[Layer]:
    """ncnn does not ask for unique names; weights are looked up by them here."""
    seen: set[str] = set()
    for index, layer in enumerate(layers):
        if layer.name in seen:
            layers[index] = layer = Layer(
                layer.type, f"{layer.name}#{index}", layer.inputs, layer.outputs, layer.params
            )
            if layer.name in seen:
                raise ValueError(f"several layers are called '{layer.name[:80]}'")
        seen.add(layer.name)
    return layers


def _connect(layers: list[Layer], blob_count: int) -> Graph:
    """Check that every blob is made once, before it is used, and find the graph's two ends."""
    made: set[str] = set()
    used: set[str] = set()
    for layer in layers:
        for blob in layer.inputs:
            if blob not in made:
                raise ValueError(f"{layer} uses '{blob[:80]}', which no earlier layer makes")
        used.update(layer.inputs)
        for blob in layer.outputs:
            if blob in made:
                raise ValueError(f"{layer} makes '{blob[:80]}' a second time")
            made.add(blob)
        if len(made) > blob_count:
            raise ValueError(f"it claims {blob_count:,} blobs and has more")
    inputs = [layer for layer in layers if layer.type == "Input"]
    if len(inputs) != 1 or len(inputs[0].outputs) != 1 or inputs[0].inputs:
        raise ValueError(f"it has {len(inputs)} inputs; one picture is what can be handed to it")
    ends = [blob for layer in layers for blob in layer.outputs if blob not in used]
    named = [blob for blob in ends if blob in ("output", "out0", "out")]
    ends = named if len(named) == 1 else ends
    if len(ends) != 1 or ends[0] == inputs[0].outputs[0]:
        raise ValueError(f"it has {len(ends)} outputs; one picture is what can be taken from it")
    return Graph(tuple(layers), inputs[0].outputs[0], ends[0])
