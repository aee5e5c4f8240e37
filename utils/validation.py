"""Checks of what comes from outside, each answered with ``(is_valid, error_message)``; the message is empty when valid.

For code that would rather raise: the engine does so itself, with the same sentences.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from utils.engine_config import InputLimits
from utils.errors import EngineError

Verdict = tuple[bool, str]

MIN_SCALE, MAX_SCALE = 1.0, 16.0
MIN_TILE, MAX_TILE = 32, 16384
"""Sides in pixels of the input."""
MAX_NAME_BYTES = 200
"""File systems hold 255 bytes a name; the rest is left for suffixes that are appended."""
VIDEO_SUFFIXES = frozenset((".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".gif"))
RESAMPLERS = ("lanczos", "bicubic", "bilinear", "nearest")
"""Ways of plain enlarging that can be chosen in place of a model."""
_VALID: Verdict = (True, "")
_MB = 10**6


def validate_image_file(path: Path | str, config: InputLimits | None = None) -> Verdict:
    """Whether a file is a picture within the limits; reads its header only.

    Args:
        config: ``max_image_mb`` and ``max_image_megapixels`` are read; without it the program's defaults hold.
    """
    from utils import image_io

    limits = image_io.ImageLimits()
    if config is not None:
        limits = image_io.ImageLimits(int(config.max_image_mb * _MB), int(config.max_image_megapixels * _MB))
    try:
        image_io.probe(path, limits)
    except EngineError as error:
        return False, str(error)
    except (TypeError, ValueError) as error:  # what no file system takes: null characters, other types
        return False, f"{path!r} is not a path: {error}."
    return _VALID


def validate_pil_image(image: object, config: InputLimits | None = None) -> Verdict:
    """Whether an object is a PIL picture that decodes, within ``config.max_image_megapixels``."""
    if image is None:
        return False, "There is no picture."
    from PIL import Image

    if not isinstance(image, Image.Image):
        return False, f"A PIL picture is needed, not {type(image).__name__}."
    width, height = image.size
    if width < 1 or height < 1:
        return False, "The picture has no pixels."
    most = 200.0 if config is None else float(config.max_image_megapixels)
    if width * height > most * _MB:
        return False, f"The picture has {width * height / 1e6:.1f} megapixels; the limit is {most:g}."
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, MemoryError) as error:
        return False, f"The picture is damaged: {error}."
    return _VALID


def validate_video_file(path: Path | str, config: InputLimits | None = None) -> Verdict:
    """Whether a file is a video within the limits: it has a picture stream whose first frame decodes.

    Args:
        config: ``max_video_mb``, ``max_video_minutes`` and ``max_image_megapixels`` are read; without it the program's
            defaults hold.
    """
    from utils.video_files import VideoLimits, probe_video

    try:
        probe_video(path, VideoLimits() if config is None else VideoLimits.of(config))
    except EngineError as error:
        return False, str(error)
    except (TypeError, ValueError) as error:
        return False, f"{path!r} is not a path: {error}."
    return _VALID


def validate_model_name(name: object, known: Iterable[str] = ()) -> Verdict:
    """Whether a model's name is well-formed and, where ``known`` names are given, among them."""
    if not isinstance(name, str) or not name.strip():
        return False, "Name a model, or 'auto'."
    if len(name) > 200 or any(character in name for character in '/\\:*?"<>|\0') or name.startswith("."):
        return False, f"'{name[:60]}' is not a model's name; names are letters, digits, '-', '_', '+' and '.'."
    if any(unicodedata.category(character)[0] == "C" for character in name):
        return False, "The model's name holds control or invisible characters."
    names = (*known, "auto", *RESAMPLERS)
    if known and name not in names:
        return False, f"There is no model '{name}'. There are: {', '.join(names)}."
    return _VALID


def validate_scale(scale: object) -> Verdict:
    """Whether an enlargement is a number from 1 to 16."""
    number = _number(scale)
    if number is None:
        return False, f"The scale must be a number (given: {scale!r})."
    if not MIN_SCALE <= number <= MAX_SCALE:
        return False, f"The scale must be between {MIN_SCALE:g} and {MAX_SCALE:g} (given: {scale})."
    return _VALID


def validate_tile_size(tile: object) -> Verdict:
    """Whether a tile side is 0 (automatic) or a whole number from 32 to 16384."""
    number = _number(tile)
    if number is None or number != int(number):
        return False, f"The tile size must be a whole number (given: {tile!r})."
    if number != 0 and not MIN_TILE <= number <= MAX_TILE:
        return False, f"The tile size must be 0 (automatic) or between {MIN_TILE} and {MAX_TILE} (given: {tile})."
    return _VALID


def validate_filename(name: object) -> Verdict:
    """Whether a name can be a file's on every system, and shows what it is: see ``sanitize_filename``."""
    if not isinstance(name, str) or not name:
        return False, "Give a file name."
    if name != unicodedata.normalize("NFC", name) or name != sanitize_filename(name):
        return False, f"{name[:60]!r} cannot be a file name; {sanitize_filename(name)!r} can."
    return _VALID


def validate_inside(path: Path | str, folder: Path | str) -> Verdict:
    """Whether a path, after following symbolic links and ``..``, lies in a folder (or is it)."""
    try:
        inside = Path(path).resolve().is_relative_to(Path(folder).resolve())
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links; a null character
        return False, f"{str(path)!r} cannot be a path: {error}."
    return _VALID if inside else (False, f"'{path}' leads out of the folder '{folder}'.")


def sanitize_filename(name: object, replacement: str = "_", default: str = "picture") -> str:
    """A file name that is safe on Linux, macOS and Windows, as close to the given one as can be.

    Folders are cut off. Invisible, control and direction-changing characters go away, look-alikes of separators and
    reserved characters are replaced, names that Windows reserves get an underscore, blanks and dots at the ends go, and
    the name is cut to 200 bytes of UTF-8 with its suffix kept. Applying it twice changes nothing.
    """
    from pathvalidate import sanitize_filename as portable

    text = unicodedata.normalize("NFC", str(name))
    text = "".join(character for character in text if unicodedata.category(character)[0] != "C")
    text = "".join("/" if character in _SLASHES else character for character in text)
    text = text.rsplit("/", 1)[-1]
    text = "".join("." if character in _DOTS else character for character in text)
    text = _shortened(text.strip(_BLANK))
    if text.partition(".")[0].rstrip().upper() in _RESERVED:
        text = f"{replacement}{text}"
    return portable(text, replacement_text=replacement, platform="universal").strip(_BLANK) or default


_BLANK = " .\u3000\u00a0"
_SLASHES = frozenset("\\\u2044\u2215\u29f8\uff0f\uff3c\u29f5\ufe68")
_DOTS = frozenset("\u2024\uff0e\ufe52")
_RESERVED = frozenset(
    ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$")
    + tuple(f"{kind}{digit}" for kind in ("COM", "LPT") for digit in "0123456789¹²³")
)


def _shortened(name: str) -> str:
    if len(name.encode("utf-8")) <= MAX_NAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode("utf-8")) > 20:
        stem, dot, suffix = name, "", ""
    room = MAX_NAME_BYTES - len((dot + suffix).encode("utf-8"))
    cut = stem.encode("utf-8")[:room].decode("utf-8", "ignore")
    return unicodedata.normalize("NFC", cut).rstrip(" .") + dot + suffix


def _number(value: object) -> float | None:
    """A finite number, from a number or its text; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0 else None


__all__ = [
    "sanitize_filename",
    "validate_filename",
    "validate_image_file",
    "validate_inside",
    "validate_model_name",
    "validate_pil_image",
    "validate_scale",
    "validate_tile_size",
    "validate_video_file",
]
