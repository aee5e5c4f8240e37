"""How a picture goes into an ncnn graph and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What ``engine.models.ncnn.probe`` found out about a graph.

    Attributes:
        scale: output side / input side.
        in_channels, out_channels: 1 or 3.
        margin: pixels that a picture needs around it because convolutions are not padded.
        cut: pixels of the output, at its upper and left edge, that are left of the margin.
        multiple_of: what the picture's sides must be multiples of (margin not counted).
        receptive_radius: input pixels on each side that an output pixel depends on, pools aside; None where that is too
            much to be covered by tiles.
        input_factor, input_offset: the graph takes ``pixels * factor + offset``, pixels in 0..1.
        output_factor, output_offset: the graph gives ``pixels * factor + offset``.
        residual: whether the graph leaves out the input, to be enlarged (each pixel repeated) and added to its output.
    """

    scale: int
    in_channels: int
    out_channels: int
    margin: int = 0
    cut: int = 0
    multiple_of: int = 1
    receptive_radius: int | None = None
    input_factor: float = 1.0
    input_offset: float = 0.0
    output_factor: float = 1.0
    output_offset: float = 0.0
    residual: bool = False
