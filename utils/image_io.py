"""Reading pictures: what is in a file, whether it is within limits, and its pixels upright with their meaning.

Headers are checked before anything is decoded. Only a list of formats is ever opened, by content and not by name.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.errors import ImageTooLargeError, InvalidImageError, OutputError
from utils.metadata import clean_exif, orientation_of
from utils.picture import Metadata, Picture
from utils.writers import SaveOptions, open_writer
from utils.writers.base import AtomicFile, output_error

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "TIFF", "BMP", "DIB", "AVIF", "HEIF", "PPM", "TGA")
SUFFIXES = {
    ".png": "png",
    ".apng": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".gif": "gif",
}
READABLE_SUFFIXES = frozenset([*SUFFIXES, ".bmp", ".heic", ".heif", ".ppm", ".pgm", ".mpo", ".tga"])


@dataclass(frozen=True)
class ImageLimits:
    """What is refused before decoding. Pixels count width x height; an animation's frames count together."""

    max_bytes: int = 200 * 10**6
    max_pixels: int = 200 * 10**6
    max_animation_pixels: int = 2 * 10**9


@dataclass(frozen=True)
class ImageInfo:
    """A picture's header. Width and height are upright (orientation applied)."""

    path: Path | None
    format: str
    mode: str
    width: int
    height: int
    frames: int
    bit_depth: int
    has_alpha: bool
    file_bytes: int


def format_from_suffix(path: Path | str) -> str | None:
    """The writable format that a file name asks for, or None."""
    return SUFFIXES.get(Path(path).suffix.lower())


def output_suffix(format_name: str) -> str:
    """``.jpg`` for "jpeg" and so on."""
    return {"jpeg": ".jpg", "tiff": ".tif"}.get(format_name, f".{format_name}")


def is_animated(info: ImageInfo) -> bool:
    """Whether the file holds an animation (a multi-page TIFF or a camera's MPO is none)."""
    return info.frames > 1 and info.format in ("gif", "webp", "png", "avif")


def _read_bytes(path: Path, limits: ImageLimits) -> bytes:
    try:
        if path.is_dir():
            raise InvalidImageError(f"'{path}' is a folder, not a picture.")
        size = path.stat().st_size
        if size == 0:
            raise InvalidImageError(f"'{path}' is empty (0 bytes).")
        if size > limits.max_bytes:
            raise ImageTooLargeError(
                f"'{path}' has {size / 1e6:.0f} MB; the limit is {limits.max_bytes / 1e6:.0f} MB "
                "(REALESRGAN_MAX_IMAGE_MB)."
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidImageError(f"'{path}' does not exist.") from None
    except OSError as error:
        raise InvalidImageError(f"'{path}' cannot be read: {error.strerror or error}.") from error


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """Pillow's lazy picture over bytes; whatever a decoder raises becomes ``InvalidImageError``."""
    from PIL import Image, UnidentifiedImageError

    Image.init()  # all plugins, or a format in the list is not known by its name
    _register_heif()
    known = [kind for kind in FORMATS if kind in Image.OPEN]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=known) as image:
                yield image
    except UnidentifiedImageError:
        raise InvalidImageError(
            f"'{name}' is not a picture that can be read (PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, HEIC), "
            "or it is damaged at its very start."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(f"'{name}' is refused: {error}") from error
    except (InvalidImageError, OutputError):
        raise
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error, ValueError ...
        raise InvalidImageError(f"'{name}' is damaged or cut off: {error}.") from error


def _register_heif() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def _check_size(name: str, width: int, height: int, frames: int, limits: ImageLimits) -> None:
    if width < 1 or height < 1:
        raise InvalidImageError(f"'{name}' has no pixels ({width}x{height}).")
    if width * height > limits.max_pixels:
        raise ImageTooLargeError(
            f"'{name}' is {width}x{height} ({width * height / 1e6:.0f} megapixels); the limit is "
            f"{limits.max_pixels / 1e6:.0f} (REALESRGAN_MAX_IMAGE_MEGAPIXELS). It was not decoded."
        )
    if width * height * frames > limits.max_animation_pixels:
        raise ImageTooLargeError(f"'{name}' has {frames} frames of {width}x{height}, too many pixels in all.")


@contextmanager
def _without_pillows_limit() -> Iterator[None]:
    """Our own limit was checked on the header; Pillow's module-wide one would refuse 180 megapixels for good."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    yield


def probe(path: Path | str, limits: ImageLimits | None = None) -> ImageInfo:
    """A file's header.

    Raises:
        InvalidImageError: missing, empty, no picture, or damaged.
        ImageTooLargeError: over a limit; nothing was decoded.
    """
    limits = limits or ImageLimits()
    path = Path(path)
    data = _read_bytes(path, limits)
    return _probe_bytes(data, path.name, path, limits)


def _probe_bytes(data: bytes, name: str, path: Path | None, limits: ImageLimits) -> ImageInfo:
    if _only_for_tifffile(data):
        return _probe_odd_tiff(data, name, path, limits)
    with _without_pillows_limit(), _opened(data, name) as image:
        width, height = image.size
        _check_size(name, width, height, 1, limits)
        frames = int(getattr(image, "n_frames", 1))
        kind = (image.format or "").lower()
        if kind == "mpo":
            kind, frames = "jpeg", 1
        if kind == "tiff":
            frames = 1
        _check_size(name, width, height, frames, limits)
        if _orientation(image) in (5, 6, 7, 8):
            width, height = height, width
        return ImageInfo(
            path, kind, image.mode, width, height, frames, _bit_depth(image, data), _has_alpha(image), len(data)
        )


def _only_for_tifffile(data: bytes) -> bool:
    """Whether the bytes are a TIFF of a layout that Pillow does not know (16-bit gray with alpha, BigTIFF kinds)."""
    from PIL import Image, UnidentifiedImageError

    if data[:2] not in (b"II", b"MM"):
        return False
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]):
            return False
    except UnidentifiedImageError:
        return True
    except Exception:  # damaged: the usual way names the fault
        return False


def _probe_odd_tiff(data: bytes, name: str, path: Path | None, limits: ImageLimits) -> ImageInfo:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page: Any = tiff.pages[0]
            width, height, samples, bits = page.imagewidth, page.imagelength, page.samplesperpixel, page.bitspersample
    except Exception as error:  # tifffile raises its own, ValueError, IndexError, struct.error ...
        raise InvalidImageError(f"'{name}' is damaged or cut off: {error}.") from error
    _check_size(name, width, height, 1, limits)
    depth = 16 if bits > 8 else 8
    return ImageInfo(path, "tiff", f"{samples}x{bits}", width, height, 1, depth, samples in (2, 4), len(data))


def _load_odd_tiff(data: bytes, name: str, info: ImageInfo) -> Picture:
    import tifffile

    try:
        array = _decode_tiff(data)
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page: Any = tiff.pages[0]
            icc = page.iccprofile
    except Exception as error:
        raise InvalidImageError(f"'{name}' is damaged or cut off: {error}.") from error
    if array is None:
        raise InvalidImageError(f"'{name}' is a TIFF of a colour kind that cannot be read.")
    metadata = Metadata(icc_profile=icc, source_format="tiff", source_mode=info.mode)
    return replace(_assemble(array), metadata=metadata)


def _orientation(image: Image.Image) -> int:
    if image.format in ("HEIF", "AVIF"):
        return 1  # their decoders turn the pixels themselves
    return orientation_of(_raw_exif(image))


def _raw_exif(image: Image.Image) -> bytes | None:
    raw = image.info.get("exif")
    if isinstance(raw, bytes):
        return raw.removeprefix(b"Exif\x00\x00")
    try:
        data = image.getexif()
        return data.tobytes().removeprefix(b"Exif\x00\x00") if len(data) else None
    except Exception:  # broken EXIF is as good as none
        return None


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info


def _bit_depth(image: Image.Image, data: bytes) -> int:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return 16
    if image.format == "PNG":
        return 16 if data[24:25] == b"\x10" else 8
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, (8,))  # type: ignore[attr-defined]
        return 16 if max(bits if isinstance(bits, tuple) else (bits,)) > 8 else 8
    return 8


def load(source: Path | str | bytes, limits: ImageLimits | None = None) -> Picture:
    """The (first) picture of a file or of bytes: upright, with alpha, profile and metadata. Errors as ``probe``."""
    limits = limits or ImageLimits()
    if isinstance(source, bytes):
        data, name, path = source, "the picture", None
    else:
        path = Path(source)
        data, name = _read_bytes(path, limits), path.name
    info = _probe_bytes(data, name, path, limits)
    if _only_for_tifffile(data):
        return _load_odd_tiff(data, name, info)
    with _without_pillows_limit(), _opened(data, name) as image:
        metadata = _metadata(image, info, path)
        picture = _load_deep(data, info, image) if info.bit_depth == 16 else None
        if picture is None:
            image.load()
            picture = _from_eight_bit(image)
            if image.mode in ("CMYK", "LAB", "YCbCr"):
                metadata = replace(metadata, icc_profile=None)
        picture = _upright(picture, _orientation(image))
    return replace(picture, metadata=metadata)


def _metadata(image: Image.Image, info: ImageInfo, path: Path | None) -> Metadata:
    notes = []
    if path is not None:
        named = format_from_suffix(path) or path.suffix.lower().lstrip(".")
        if named in SUFFIXES.values() and named != info.format:
            notes.append(f"'{path.name}' is a {info.format.upper()} file in spite of its name.")
    dpi = image.info.get("dpi")
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8")
    exif = clean_exif(_raw_exif(image), info.width, info.height)
    icc = image.info.get("icc_profile")
    valid_dpi = isinstance(dpi, tuple) and len(dpi) == 2 and all(0 < float(dots) < 1e5 for dots in dpi)
    return Metadata(
        icc_profile=icc if isinstance(icc, bytes) and icc else None,
        exif=exif,
        xmp=xmp if isinstance(xmp, bytes) else None,
        dpi=(float(dpi[0]), float(dpi[1])) if valid_dpi and dpi else None,
        source_format=info.format,
        source_mode=info.mode,
        warnings=tuple(notes),
    )


def _load_deep(data: bytes, info: ImageInfo, image: Image.Image) -> Picture | None:
    """16-bit pixels, where Pillow would reduce them to 8; None when this decoder does not serve."""
    if image.mode in ("I", "F"):
        image.load()
        return _from_wide(np.asarray(image))
    if image.mode.startswith("I;16"):
        image.load()
        return _assemble(np.asarray(image).astype(np.uint16))
    array = _decode_tiff(data) if info.format == "tiff" else _decode_png(data)
    return None if array is None or array.dtype != np.uint16 else _assemble(array)


def _decode_png(data: bytes) -> np.ndarray | None:
    import cv2

    flags = cv2.IMREAD_UNCHANGED
    array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if array is None:
        raise InvalidImageError("the pixel data cannot be decoded")
    if array.ndim == 3:
        order = [2, 1, 0, 3] if array.shape[2] == 4 else [2, 1, 0]
        array = array[..., order]
        # OpenCV makes gray + alpha RGBA; equal planes are gray.
        if array.shape[2] == 4 and data[25:26] == b"\x04":
            array = array[..., [0, 3]]
    return np.ascontiguousarray(array)


def _decode_tiff(data: bytes) -> np.ndarray | None:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page: Any = tiff.pages[0]
        photometric = getattr(page.photometric, "name", "")
        if photometric not in ("RGB", "MINISBLACK", "MINISWHITE"):
            return None
        array = page.asarray()
        if page.planarconfig == 2 and array.ndim == 3:
            array = array.transpose(1, 2, 0)
    if array.dtype.kind == "f":
        array = np.rint(np.clip(np.nan_to_num(array), 0, 1) * 65535).astype(np.uint16)
    if array.dtype == np.uint32:
        array = (array >> 16).astype(np.uint16)
    if photometric == "MINISWHITE":
        array = np.iinfo(array.dtype).max - array
    return np.ascontiguousarray(array)


def _from_wide(array: np.ndarray) -> Picture:
    """32-bit integer and float gray. Float in 0..1 is scaled; anything else is stretched to its own range."""
    values = np.nan_to_num(array.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        scaled = values * 65535
    elif low >= 0 and high <= 65535:
        scaled = values * (257 if array.dtype.kind == "f" and high <= 255 else 1)
    else:
        scaled = (values - low) / max(high - low, 1e-12) * 65535
    return _assemble(np.rint(scaled).astype(np.uint16))


def _from_eight_bit(image: Image.Image) -> Picture:
    """Any other mode, as 8-bit gray or RGB with alpha."""
    transparent = _has_alpha(image)
    if image.mode in ("CMYK", "LAB", "YCbCr"):
        image = _to_srgb(image)
    elif image.mode in ("1", "L", "LA", "La"):
        image = image.convert("LA" if transparent else "L")
    else:
        image = image.convert("RGBA" if transparent else "RGB")
    return _assemble(np.asarray(image))


def _to_srgb(image: Image.Image) -> Image.Image:
    """Print colours through their own profile; Pillow's plain conversion where there is none or it is broken."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if profile and image.mode in ("CMYK", "LAB"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image,
                source,
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
                renderingIntent=ImageCms.Intent.PERCEPTUAL,
            )
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def _assemble(array: np.ndarray) -> Picture:
    """``(H, W)`` or ``(H, W, 1..4)``, uint8 or uint16, as a picture."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise InvalidImageError(f"an array of shape {array.shape} is not a picture")
    if array.shape[2] in (1, 3):
        return Picture(np.ascontiguousarray(array))
    alpha = np.ascontiguousarray(array[..., -1])
    return Picture(np.ascontiguousarray(array[..., :-1]), alpha)


def _upright(picture: Picture, orientation: int) -> Picture:
    """Apply EXIF orientation 1..8 to the pixels."""
    if orientation == 1:
        return picture
    turns: dict[int, Any] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    turn = turns[orientation]
    alpha = None if picture.alpha is None else np.ascontiguousarray(turn(picture.alpha))
    return Picture(np.ascontiguousarray(turn(picture.pixels)), alpha, picture.metadata)


def from_pil(image: Image.Image) -> Picture:
    """A picture from a PIL image of any mode, upright."""
    info = ImageInfo(None, (image.format or "").lower(), image.mode, *image.size, 1, 8, _has_alpha(image), 0)
    if image.mode.startswith("I;16"):
        picture = _assemble(np.asarray(image).astype(np.uint16))
    elif image.mode in ("I", "F"):
        picture = _from_wide(np.asarray(image))
    else:
        picture = _from_eight_bit(image)
    return replace(_upright(picture, _orientation(image)), metadata=_metadata(image, info, None))


def from_array(array: np.ndarray) -> Picture:
    """A picture from ``(H, W)`` or ``(H, W, 1..4)``: uint8, uint16, bool, or float in 0..1; colours as RGB."""
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "f":
        array = np.rint(np.clip(np.nan_to_num(array), 0, 1) * 255).astype(np.uint8)
    if array.dtype not in (np.uint8, np.uint16):
        raise InvalidImageError(f"An array of {array.dtype} is not a picture; use uint8, uint16, or float in 0..1.")
    if 0 in array.shape:
        raise InvalidImageError(f"An array of shape {array.shape} has no pixels.")
    return _assemble(array)


def to_pil(picture: Picture) -> Image.Image:
    """As a PIL image; 16-bit gray as ``I;16``, any other 16 bits reduced to 8."""
    from PIL import Image

    array = picture.interleaved()
    if picture.bit_depth == 16:
        if array.shape[2] == 1:
            return Image.fromarray(array[..., 0])
        array = ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def load_frames(path: Path | str, limits: ImageLimits | None = None) -> Iterator[tuple[Picture, int]]:
    """Every frame of an animation, whole (disposal and blending done), with its duration in milliseconds."""
    limits = limits or ImageLimits()
    path = Path(path)
    data = _read_bytes(path, limits)
    info = _probe_bytes(data, path.name, path, limits)
    with _without_pillows_limit(), _opened(data, path.name) as image:
        metadata = _metadata(image, info, path)
        alpha = any_transparency(image)
        for index in range(info.frames):
            image.seek(index)
            image.load()  # WebP tells a frame's duration only now
            duration = int(image.info.get("duration", 0) or 0)
            frame = _assemble(np.asarray(image.convert("RGBA" if alpha else "RGB")))
            yield replace(frame, metadata=metadata), duration


def any_transparency(image: Image.Image) -> bool:
    """Whether any frame is transparent anywhere: all frames then need an alpha channel."""
    position = image.tell()
    try:
        for index in range(int(getattr(image, "n_frames", 1))):
            image.seek(index)
            if image.mode in ("RGBA", "LA", "PA", "P") and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
                return True
        return False
    finally:
        image.seek(position)


def animation_loop(path: Path | str) -> int:
    """How often an animation repeats; 0 = for ever, 1 = once."""
    data = Path(path).read_bytes()
    with _opened(data, Path(path).name) as image:
        default = 1 if image.format == "GIF" else 0
        return int(image.info.get("loop", default) or 0)


def save(picture: Picture, path: Path | str, options: SaveOptions) -> None:
    """Write a whole picture. Raises ``OutputError``; then no partial file remains."""
    depth = picture.bit_depth if options.format in ("png", "tiff") else 8
    array = picture.interleaved()
    if depth == 8 and array.dtype == np.uint16:
        array = ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    with open_writer(
        Path(path), picture.width, picture.height, picture.channels, depth, picture.metadata, options
    ) as writer:
        step = max(1, 2**22 // picture.width)
        for start in range(0, picture.height, step):
            writer.write(array[start : start + step])
        writer.commit()


def write_animation(
    frames: Iterable[tuple[Picture, int]], path: Path | str, loop: int, options: SaveOptions, metadata: Metadata
) -> None:
    """Write frames (picture, milliseconds) as GIF, WebP or APNG, taking them one at a time."""
    path = Path(path)
    rest = iter(frames)
    first, first_duration = next(rest)
    durations = [first_duration]

    def remaining() -> Iterator[Image.Image]:
        for picture, duration in rest:
            durations.append(duration)
            yield to_pil(picture)

    arguments: dict[str, Any] = {"format": options.format.upper(), "save_all": True}
    if loop or options.format != "gif":
        arguments["loop"] = loop
    if options.format == "gif":
        arguments |= {"disposal": 2, "optimize": False} if first.alpha is not None else {"optimize": False}
        if loop == 0:
            arguments["loop"] = 0
        elif loop == 1:
            arguments.pop("loop", None)
    if options.format == "webp":
        arguments |= {"quality": options.quality, "lossless": options.lossless}
    if options.format != "gif" and metadata.icc_profile:
        arguments["icc_profile"] = metadata.icc_profile
    output = AtomicFile(path)
    try:
        # Encoders want all durations at once, and know a frame's only after taking it: so the frames come first.
        rest_frames = list(remaining())
        arguments["duration"] = durations
        to_pil(first).save(output.file, append_images=rest_frames, **arguments)
        output.commit()
    except OSError as error:
        output.abort()
        raise output_error(path, error) from error
    except BaseException:
        output.abort()
        raise
