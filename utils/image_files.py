"""What is in a picture file: its header, within limits, without decoding it; and the metadata beside the pixels.

Only a list of formats is ever opened, by content and not by name. Pillow's own pixel limit is module-wide and stays
as it is for whoever else uses Pillow: files are opened past it, since the header is checked here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from utils import jpeg2000, photoshop
from utils.errors import EngineError, ImageTooLargeError, InvalidImageError
from utils.metadata import clean_exif, orientation_of, resolution_of
from utils.picture import Metadata
from utils.tiff_pages import counted_pages

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "AVIF", "HEIF", "JPEG2000", "PSD", "PPM", "TGA")
SUFFIXES = {
    ".png": "png",
    ".apng": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
    ".jxl": "jxl",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".gif": "gif",
    ".pdf": "pdf",
}
_ONLY_READ = ".bmp .heic .heif .ppm .pgm .mpo .tga .jp2 .j2k .jpf .jpx .psd .hdr .exr"
_RAW = (
    ".dng .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .raf .orf .rw2 .rwl .pef .srw .3fr .iiq .erf .mrw .kdc .dcr .mef .x3f"
)
READABLE_SUFFIXES = frozenset([*SUFFIXES, *_ONLY_READ.split(), *_RAW.split()])
_LARGEST_WEBP = 16383
"""Pixels a side of a frame; an animation's canvas can claim more, and would be made room for."""
_ANIMATED = ("gif", "webp", "png", "avif", "jxl")


@dataclass(frozen=True)
class ImageLimits:
    """What is refused before decoding. Pixels count width x height, of documents a page's; an animation's frames count
    together. ``salvage``: take what can still be decoded of a damaged still, instead of refusing it."""

    max_bytes: int = 200 * 10**6
    max_pixels: int = 200 * 10**6
    max_animation_pixels: int = 2 * 10**9
    max_frames: int = 20_000
    max_pages: int = 2000
    salvage: bool = False


@dataclass(frozen=True)
class ImageInfo:
    """A picture's header. Width and height are upright (orientation applied).

    Attributes:
        frames: of an animation; 1 for a still.
        pages: of a TIFF or a PDF, where a scan may have many; width and height are those of the first.
    """

    path: Path | None
    format: str
    mode: str
    width: int
    height: int
    frames: int
    bit_depth: int
    has_alpha: bool
    file_bytes: int
    pages: int = 1

    @property
    def is_document(self) -> bool:
        """Whether it has pages, to be enhanced one by one, rather than being a picture."""
        return self.pages > 1 or self.format == "pdf"


def format_from_suffix(path: Path | str) -> str | None:
    """The writable format that a file name asks for, or None."""
    return SUFFIXES.get(Path(path).suffix.lower())


def output_suffix(format_name: str) -> str:
    """``.jpg`` for "jpeg" and so on."""
    return {"jpeg": ".jpg", "tiff": ".tif"}.get(format_name, f".{format_name}")


def is_animated(info: ImageInfo) -> bool:
    """Whether the file holds an animation (a multi-page TIFF or a camera's MPO is none)."""
    return info.frames > 1 and info.format in _ANIMATED


@contextmanager
def open_file(path: Path, limits: ImageLimits) -> Iterator[tuple[BinaryIO, int]]:
    """The file for reading and its size in bytes. Raises ``InvalidImageError``, ``ImageTooLargeError``."""
    try:
        if path.is_dir():
            raise InvalidImageError(f"'{path}' is a folder, not a picture.")
        stream = path.open("rb")
    except FileNotFoundError:
        raise InvalidImageError(f"'{path}' does not exist.") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise InvalidImageError(f"'{path}' cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    with stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        check_bytes(size, str(path), limits)
        yield stream, size


def check_bytes(size: int, name: str, limits: ImageLimits) -> None:
    """Refuse an empty file, and one over the limit."""
    if size == 0:
        raise InvalidImageError(f"'{name}' is empty (0 bytes).")
    if size > limits.max_bytes:
        raise ImageTooLargeError(
            f"'{name}' has {size / 1e6:.0f} MB; the limit is {limits.max_bytes / 1e6:.0f} MB (REALESRGAN_MAX_IMAGE_MB)."
        )


def read_bytes(path: Path, limits: ImageLimits) -> bytes:
    """A file's bytes, if it is there and within limits."""
    with open_file(path, limits) as (stream, _):
        try:
            return stream.read()
        except OSError as error:
            raise InvalidImageError(f"'{path}' cannot be read: {error.strerror or error}.") from error


@contextmanager
def faults_named(name: str) -> Iterator[None]:
    """Whatever a decoder raises becomes ``InvalidImageError`` with the file's name in it."""
    from PIL import Image

    try:
        yield
    except (EngineError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(f"'{name}' is refused: {error}") from error
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error, cv2.error ...
        raise InvalidImageError(f"'{name}' is damaged or cut off: {str(error).rstrip('.')}.") from error


@contextmanager
def opened(stream: BinaryIO, name: str) -> Iterator[Image.Image]:
    """Pillow's lazy picture; whatever a decoder raises, here or inside the block, becomes ``InvalidImageError``."""
    with faults_named(name):
        image = open_lazily(stream, name)
        if image is None:
            raise InvalidImageError(_unknown(stream, name))
        with image:
            _complete(image, stream)
            yield image


def _complete(image: Image.Image, stream: BinaryIO) -> None:
    """What Pillow's own plugins leave open. In place."""
    if image.format == "PSD":
        photoshop.without_selection(image, stream)
    elif image.format == "JPEG2000" and (profile := jpeg2000.profile_of(stream)):
        image.info["icc_profile"] = profile


def open_lazily(stream: BinaryIO, name: str) -> Image.Image | None:
    """The first listed format whose header fits, or None. What ``Image.open`` does, without its pixel limit."""
    from PIL import Image

    Image.init()  # all plugins, or a format in the list is not known by its name
    register_heif()
    stream.seek(0)
    head = stream.read(16)
    for kind in FORMATS:
        if kind not in Image.OPEN or (kind == "TGA" and not _surely_tga(stream, name)):
            continue
        factory, accepts = Image.OPEN[kind]
        answer = accepts(head) if accepts is not None else True
        if not answer or isinstance(answer, str):
            continue
        stream.seek(0)
        try:
            return factory(stream, "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # not this format, or its header is broken
            continue
    return None


def _surely_tga(stream: BinaryIO, name: str) -> bool:
    """TGA has no mark at its start, so any bytes might pass for one: ask for its name or the mark at its end."""
    if name.lower().endswith(".tga"):
        return True
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 18))
    return stream.read() == b"TRUEVISION-XFILE.\0"


def _unknown(stream: BinaryIO, name: str) -> str:
    from PIL import Image

    stream.seek(0)
    head = stream.read(16)
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif") and "HEIF" not in Image.OPEN:
        return f"'{name}' is an HEIC picture, which needs the package pillow-heif: pip install pillow-heif."
    return (
        f"'{name}' is not a picture that can be read (PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP, HEIC, JPEG XL, JPEG "
        "2000, PSD, HDR, OpenEXR, camera raw, PDF), or it is damaged at its very start."
    )


def register_heif() -> None:
    """Let Pillow read HEIC, where the package for it is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def check_size(name: str, width: int, height: int, frames: int, limits: ImageLimits) -> None:
    """Refuse what is over the limits of pixels."""
    if width < 1 or height < 1:
        raise InvalidImageError(f"'{name}' has no pixels ({width}x{height}).")
    if width * height > limits.max_pixels:
        raise ImageTooLargeError(
            f"'{name}' is {width}x{height} ({width * height / 1e6:.0f} megapixels); the limit is "
            f"{limits.max_pixels / 1e6:.0f} (REALESRGAN_MAX_IMAGE_MEGAPIXELS). It was not decoded."
        )
    if frames > 1 and width * height * frames > limits.max_animation_pixels:
        raise ImageTooLargeError(f"'{name}' has {frames} frames of {width}x{height}, too many pixels in all.")


def header_of(image: Image.Image, path: Path | None, name: str, size: int, limits: ImageLimits) -> ImageInfo:
    """The header of an opened picture, checked against the limits."""
    width, height = image.size
    check_size(name, width, height, 1, limits)
    kind = (image.format or "").lower()
    if kind == "mpo":
        kind = "jpeg"
    if kind == "webp" and max(width, height) > _LARGEST_WEBP:
        raise InvalidImageError(
            f"'{name}' is damaged: it claims {width}x{height} pixels, and WebP holds {_LARGEST_WEBP} a side."
        )
    if kind == "gif":
        _refuse_endless_gif(image.fp, name, limits)  # type: ignore[attr-defined]  # before Pillow counts by walking
    frames = int(getattr(image, "n_frames", 1)) if kind in _ANIMATED else 1
    pages = counted_pages(image.fp, name, limits.max_pages) if kind == "tiff" else 1  # type: ignore[attr-defined]
    check_size(name, width, height, frames, limits)
    if image.format != "TIFF" and orientation(image) in (5, 6, 7, 8):  # Pillow turns a TIFF's size by itself
        width, height = height, width
    depth, alpha = _bit_depth(image), has_alpha(image)
    return ImageInfo(path, kind, image.mode, width, height, frames, depth, alpha, size, pages)


def _refuse_endless_gif(stream: BinaryIO, name: str, limits: ImageLimits) -> None:
    """Raise ``ImageTooLargeError`` where a GIF has more frames than the limit; leaves the stream as it was."""
    before = stream.tell()
    stream.seek(10)
    flags = stream.read(3)
    if len(flags) == 3 and flags[0] & 0x80:
        stream.seek(3 << ((flags[0] & 7) + 1), io.SEEK_CUR)
    frames = 0
    while kind := stream.read(1):
        if kind == b",":
            frames += 1
            head = stream.read(9)
            if len(head) == 9 and head[8] & 0x80:
                stream.seek(3 << ((head[8] & 7) + 1), io.SEEK_CUR)
            stream.read(1)
        elif kind == b"!":
            stream.read(1)
        else:
            break
        while (length := stream.read(1)) and length[0]:
            stream.seek(length[0], io.SEEK_CUR)
        if frames > limits.max_frames:
            raise too_many_frames(name, limits)
    stream.seek(before)


def too_many_frames(name: str, limits: ImageLimits) -> ImageTooLargeError:
    """What is said of an animation that is over the limit of frames."""
    return ImageTooLargeError(
        f"'{name}' has more than {limits.max_frames} frames, which is more than is read. Cut it into parts."
    )


def orientation(image: Image.Image) -> int:
    """How the stored pixels must be turned, 1..8. Ask before ``load``: Pillow forgets a TIFF's after turning it."""
    if image.format == "HEIF":
        return 1  # its decoder turns the pixels itself
    return orientation_of(raw_exif(image))


def raw_exif(image: Image.Image) -> bytes | None:
    """The EXIF block without its prefix, or None."""
    from PIL import Image

    raw = image.info.get("exif")
    if raw is None and image.format == "PNG":
        raw = _late_png_exif(getattr(image, "fp", None))
    if isinstance(raw, bytes):
        return raw.removeprefix(b"Exif\x00\x00")
    try:
        data = Image.Image.getexif(image)  # a PNG's own method would decode the whole picture first
        return data.tobytes().removeprefix(b"Exif\x00\x00") if len(data) else None
    except Exception:  # broken EXIF is as good as none
        return None


def _late_png_exif(stream: BinaryIO | None) -> bytes | None:
    """The eXIf chunk of a PNG that has it after its pixels; one that cannot be read where its checksum is wrong."""
    if stream is None or stream.closed:
        return None
    place = stream.tell()
    try:
        stream.seek(8)
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                body, told = stream.read(length), int.from_bytes(stream.read(4), "big")
                return body if zlib.crc32(kind + body) == told else b"\0"  # of which a note tells
            stream.seek(length + 4, io.SEEK_CUR)
        return None
    finally:
        stream.seek(place)


def has_alpha(image: Image.Image) -> bool:
    """Whether the picture can be transparent anywhere."""
    return image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info


def _bit_depth(image: Image.Image) -> int:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return 16
    if image.format == "PNG" and image.tile:  # type: ignore[attr-defined]
        return 16 if ";16" in str(image.tile[0].args) else 8  # type: ignore[attr-defined]
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, (8,))  # type: ignore[attr-defined]
        return 16 if max(bits if isinstance(bits, tuple) else (bits,)) > 8 else 8
    if image.format == "JPEG2000":
        return 16 if jpeg2000.bits_of(image.fp) > 8 else 8  # type: ignore[attr-defined]
    return 8


def metadata_of(image: Image.Image, info: ImageInfo) -> Metadata:
    """What travels beside the pixels, already right for an upright picture; notes about the name as warnings."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8")
    raw = raw_exif(image)
    icc = image.info.get("icc_profile")
    return Metadata(
        icc_profile=icc if isinstance(icc, bytes) and icc else None,
        exif=clean_exif(raw, info.width, info.height),
        xmp=xmp if isinstance(xmp, bytes) else None,
        dpi=valid_dpi(image.info.get("dpi")) or valid_dpi(resolution_of(raw)),
        source_format=info.format,
        source_mode=info.mode,
        warnings=notes_about(info, raw),
    )


def notes_about(info: ImageInfo, raw_exif: bytes | None) -> tuple[str, ...]:
    """What a person should know of a file: a name that says another format, EXIF that is damaged."""
    notes = []
    if info.path is not None:
        named = format_from_suffix(info.path) or info.path.suffix.lower().lstrip(".")
        if named in SUFFIXES.values() and named != info.format:
            notes.append(f"'{info.path.name}' is a {info.format.upper()} file in spite of its name.")
    if raw_exif and clean_exif(raw_exif, 1, 1) is None:
        name = info.path.name if info.path is not None else "the picture"
        notes.append(f"The EXIF of '{name}' is damaged and was left out.")
    return tuple(notes)


def valid_dpi(dpi: object) -> tuple[float, float] | None:
    """Dots an inch, if they are two sensible numbers."""
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return None
    try:
        across, down = float(dpi[0]), float(dpi[1])
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 0 < across < 1e5 and 0 < down < 1e5 else None
