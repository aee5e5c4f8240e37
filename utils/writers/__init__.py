"""Writing pictures in bands: PNG and TIFF stream, the others collect their rows. One file a way of writing."""

from __future__ import annotations

from pathlib import Path

from utils.errors import OutputError
from utils.jxl.encoder import LARGEST_SIDE
from utils.picture import Metadata
from utils.writers.base import BandWriter, SaveOptions

_LARGEST_SIDE = {"jpeg": 65535, "webp": 16383, "avif": 65535, "gif": 65535, "jxl": LARGEST_SIDE}
DEEP_FORMATS = ("png", "tiff", "jxl")
"""Those that hold 16 bits a channel."""


def open_writer(
    path: Path,
    width: int,
    height: int,
    channels: int,
    bit_depth: int,
    metadata: Metadata,
    options: SaveOptions,
) -> BandWriter:
    """A writer for one picture.

    Args:
        channels: 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha.
        bit_depth: 8, or 16 (``DEEP_FORMATS`` only).

    Raises:
        OutputError: the format cannot hold that size, or the folder cannot be written.
    """
    limit = _LARGEST_SIDE.get(options.format)
    if limit is not None and max(width, height) > limit:
        raise OutputError(
            f"{options.format.upper()} holds at most {limit} pixels a side; '{Path(path).name}' would be "
            f"{width}x{height}. Save as PNG or TIFF, or choose a smaller size."
        )
    if options.format == "png":
        from utils.writers.png import PngWriter as Writer
    elif options.format == "tiff":
        from utils.writers.tiff import TiffWriter as Writer  # type: ignore[assignment]
    elif options.format == "jxl":
        from utils.writers.jxl import JxlWriter as Writer  # type: ignore[assignment]
    elif options.format in _LARGEST_SIDE:
        from utils.writers.whole import WholeWriter as Writer  # type: ignore[assignment]
    else:
        raise OutputError(f"Pictures cannot be saved as '{options.format}'.")
    return Writer(Path(path), width, height, channels, bit_depth, metadata, options)


__all__ = ["DEEP_FORMATS", "BandWriter", "SaveOptions", "open_writer"]
