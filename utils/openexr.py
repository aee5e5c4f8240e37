"""OpenEXR: scene-linear light in half or full floats, tone-mapped as Radiance's (``utils.radiance``).

The picture is the display window: light outside it is left out, and where the data window does not reach it is black,
and transparent if there is an alpha. Colours are multiplied by alpha in these files and divided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from utils.colorimetry import REC_709, Chromaticities, between
from utils.radiance import tone_mapped

if TYPE_CHECKING:
    import OpenEXR

MAGIC = b"v/1\1"
_SAMPLE = 4
_PACKED = {"NO": 2, "RLE": 140, "ZIPS": 1400, "ZIP": 1400, "PXR24": 1400, "B44": 16}
"""Most bytes of light that one byte can hold, by compression; others pack areas of one colour without bound."""


@dataclass(frozen=True)
class ExrHeader:
    """What is read of a file.

    Attributes:
        part: number of the part that holds the picture.
        channels: names, of red, green, blue or of luminance alone; then alpha's, if there is one.
        display, data: left, top, right, bottom; the last two inclusive, as the format has them.
        decoded_bytes: what is decoded, as floats: the channels, and if theirs is not the first part, all there are.
        packed: at most this many decoded bytes for a byte of the file; 0: without bound.
    """

    part: int
    channels: tuple[str, ...]
    display: tuple[int, int, int, int]
    data: tuple[int, int, int, int]
    decoded_bytes: int
    packed: int
    primaries: Chromaticities = REC_709

    @property
    def width(self) -> int:
        """Of the display window, in pixels."""
        return self.display[2] - self.display[0] + 1

    @property
    def height(self) -> int:
        """Of the display window, in pixels."""
        return self.display[3] - self.display[1] + 1

    @property
    def transparent(self) -> bool:
        """Whether there is an alpha."""
        return len(self.channels) in (2, 4)


def header_of(stream: BinaryIO) -> ExrHeader:
    """The header; nothing is decoded.

    Raises:
        ImportError: the package that reads it is not installed.
        ValueError, RuntimeError: damaged, deep, or without channels that make a picture.
    """
    file = _opened(stream, header_only=True)
    total = 0
    for number, part in enumerate(file.parts):
        data, display = _window(part.header["dataWindow"]), _window(part.header["displayWindow"])
        area = max(0, data[2] - data[0] + 1) * max(0, data[3] - data[1] + 1)
        named = part.header["channels"]
        total += area * _SAMPLE * len(named)
        names = _channels([channel.name for channel in named if channel.xSampling == channel.ySampling == 1])
        if names and "deep" not in str(part.type()):
            kind = str(part.compression()).rpartition(".")[2].partition("_")[0]
            packed = _PACKED.get(kind, 0) if len(file.parts) == 1 else 0
            if number == 0:
                total = area * _SAMPLE * len(names)
            return ExrHeader(number, names, display, data, total, packed, _primaries(part.header))
    raise ValueError("it has no red, green and blue, nor luminance alone, of one value a pixel")


def decode(stream: BinaryIO, size: int) -> np.ndarray:
    """``(H, W, 1..4) uint16``, tone-mapped. ``size``: the file's, in bytes. Raises as ``header_of``."""
    header = header_of(stream)
    if header.packed and header.decoded_bytes > header.packed * size + 2**20:
        raise ValueError("its pixels end early")
    light, rows, columns = _light(stream, header)
    canvas = np.zeros((header.height, header.width, len(header.channels)), np.uint16)
    if header.transparent:
        alpha = np.clip(np.nan_to_num(light[..., -1:], posinf=1, neginf=0), 0, 1)
        canvas[rows, columns, -1:] = np.rint(alpha * 65535)
        light = light[..., :-1] / np.where(alpha > 0, alpha, 1)
    if light.shape[2] == 3 and header.primaries != REC_709:
        light = light @ between(header.primaries, REC_709).T.astype(np.float32)
    count = light.shape[2]
    canvas[rows, columns, :count] = tone_mapped(np.repeat(light, 3, axis=2) if count == 1 else light)[..., :count]
    return canvas


def _light(stream: BinaryIO, header: ExrHeader) -> tuple[np.ndarray, slice, slice]:
    """``(h, w, channels) float32``: what there is of the display window, and its rows and columns there."""
    left, top = header.data[0] - header.display[0], header.data[1] - header.display[1]
    shape = header.data[3] - header.data[1] + 1, header.data[2] - header.data[0] + 1
    rows = slice(max(0, top), min(header.height, top + shape[0]))
    columns = slice(max(0, left), min(header.width, left + shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError("its data window lies outside its display window")
    inside = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    light = np.empty((rows.stop - rows.start, columns.stop - columns.start, len(header.channels)), np.float32)
    for place, plane in enumerate(_planes(stream, header)):
        if plane.dtype.kind != "f":
            raise ValueError("its channels hold numbers of things, not light")
        light[..., place] = plane.reshape(shape)[inside]
    return light, rows, columns


def _planes(stream: BinaryIO, header: ExrHeader) -> Iterator[np.ndarray]:
    """The channels one by one; of a part that is not the first only with all others that the file has."""
    import OpenEXR

    if header.part:
        parts = _opened(stream).parts
        if len(parts) <= header.part:  # its reader keeps silent about damage
            raise ValueError("its pixels end early")
        yield from (parts[header.part].channels[name].pixels for name in header.channels)
        return
    stream.seek(0)
    file = OpenEXR.InputFile(stream)
    known = file.header()["channels"]
    for name in header.channels:
        kind = {"HALF": np.float16, "FLOAT": np.float32}.get(str(known[name].type), np.uint32)
        yield np.frombuffer(file.channel(name), kind)


def _opened(stream: BinaryIO, header_only: bool = False) -> OpenEXR.File:
    import OpenEXR

    stream.seek(0)
    return OpenEXR.File(stream, separate_channels=True, header_only=header_only)


def _window(box: tuple[np.ndarray, np.ndarray]) -> tuple[int, int, int, int]:
    (left, top), (right, bottom) = box
    return int(left), int(top), int(right), int(bottom)


def _channels(names: list[str]) -> tuple[str, ...]:
    """Those that make a picture: without a layer's name if there are such, else those of the first layer."""
    known = sorted(names)
    layers = dict.fromkeys(["", *(name.rpartition(".")[0] + "." for name in known if "." in name)])
    for layer in layers:
        for color in (("R", "G", "B"), ("Y",)):
            wanted = [layer + letter for letter in color]
            if all(name in known for name in wanted) and not (len(color) == 1 and layer + "RY" in known):
                return (*wanted, layer + "A") if layer + "A" in known else tuple(wanted)
    return ()


def _primaries(header: dict[str, object]) -> Chromaticities:
    """Those of the file, or Rec. 709's, which the format means where it names none."""
    values = header.get("chromaticities")
    try:
        given = tuple(float(value) for value in values)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return REC_709
    fits = len(given) == 8 and all(np.isfinite(given)) and all(given[place] > 0 for place in (1, 3, 5, 7))
    return given if fits and np.abs(np.subtract(given, REC_709)).max() > 1e-3 else REC_709  # type: ignore[return-value]
