"""Numbered pictures as a film's frames: a pattern like ``frames/%04d.png``, or a folder with one such sequence."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from engine.imaging.task import limits_of
from engine.video.options import VideoOptions
from engine.video.reader import SourceFrame
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import EmptyVideoError, InvalidImageError, InvalidSettingsError, InvalidVideoError, VideoTooLargeError
from utils.image_io import READABLE_SUFFIXES, ImageInfo, ImageLimits
from utils.picture import Picture
from utils.video_files import ColorTags, VideoInfo, VideoLimits

logger = logging.getLogger(__name__)

DEFAULT_RATE = 24.0
"""Frames a second, where nobody says."""
_PLACE = re.compile(r"%(?:0(\d+))?d")
_NUMBERED = re.compile(r"^(.*?)(\d+)$")
_SRGB = ColorTags(matrix=1, primaries=1, transfer=13)
"""How films of such pictures are written and tagged: BT.709's matrix and primaries, sRGB's curve."""
_NAMED_GAPS = 5


@dataclass(frozen=True)
class Pattern:
    """A name with one place for a number, such as ``shot_%04d.png``."""

    folder: Path
    before: str
    after: str
    digits: int = 0

    @classmethod
    def of(cls, path: Path) -> Pattern | None:
        """The pattern that a path's name is, or None where it is an ordinary name."""
        places = list(_PLACE.finditer(path.name))
        if len(places) != 1:
            return None
        (place,) = places
        return cls(path.parent, path.name[: place.start()], path.name[place.end() :], int(place[1] or 0))

    def path(self, number: int) -> Path:
        """The file of a number."""
        return self.folder / f"{self.before}{number:0{self.digits}d}{self.after}"

    def existing(self) -> dict[int, Path]:
        """The files that there are, in the order of their numbers. Raises ``InvalidVideoError`` for a number twice."""
        wanted = re.compile(re.escape(self.before) + r"(\d+)" + re.escape(self.after))
        found: dict[int, Path] = {}
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            told = wanted.fullmatch(path.name)
            # As printf does it: at least so many digits, and zeros in front only to reach them.
            if told and told[1] == f"{int(told[1]):0{self.digits}d}":
                found[int(told[1])] = path
        return dict(sorted(found.items()))


def is_sequence(path: Path) -> bool:
    """Whether a path stands for numbered pictures: a folder, or a name with a place for the number."""
    return path.is_dir() or (Pattern.of(path) is not None and not path.is_file())


def name_of(path: Path) -> str:
    """What a sequence's film is called, without suffix."""
    pattern = Pattern.of(path)
    if path.is_dir() or pattern is None:
        return path.resolve().name
    return pattern.before.rstrip("_-. ") or pattern.folder.resolve().name or "frames"


def frame_rate(value: float) -> Fraction:
    """Frames a second as an exact fraction; 23.976, 29.97 and 59.94 are television's, over 1001."""
    whole = round(value * 1.001)
    if abs(value * 1.001 - whole) < 0.005 and abs(value - round(value)) > 0.005:
        return Fraction(whole * 1000, 1001)
    return Fraction(value).limit_denominator(1001)


def probe_sequence(path: Path, options: VideoOptions, config: EngineConfig) -> VideoInfo:
    """Find the pictures and read their headers; ``VideoInfo.pictures`` holds them in order.

    Raises:
        EmptyVideoError: there are none, or none from ``options.start_number`` on.
        InvalidVideoError: two sequences in a folder, a number twice, or pictures of several sizes.
        InvalidImageError: a picture cannot be read.
        ImageTooLargeError, VideoTooLargeError: over a limit.
    """
    found = _pictures(path)
    first = options.start_number
    numbers = tuple(number for number in found if first is None or number >= first)
    if not numbers:
        from_where = "" if first is None or not found else f" from number {first} on"
        raise EmptyVideoError(f"'{path}' holds no numbered pictures{from_where}, such as 0001.png.")
    rate = frame_rate(options.rate or DEFAULT_RATE)
    limits = VideoLimits.of(config)
    if len(numbers) / rate > limits.max_seconds:
        raise VideoTooLargeError(
            f"'{path.name}' lasts {float(len(numbers) / rate) / 60:.1f} minutes; the limit is "
            f"{limits.max_seconds / 60:g} (REALESRGAN_MAX_VIDEO_MINUTES)."
        )
    pictures = tuple(found[number] for number in numbers)
    infos = _headers(pictures, limits_of(config))
    head = infos[0]
    return VideoInfo(
        path=path,
        container="pictures",
        codec=head.format,
        width=head.width,
        height=head.height,
        turn=0,
        mirrored=False,
        fps=rate,
        frames=len(pictures),
        counted=True,
        duration=float(len(pictures) / rate),
        start=0.0,
        time_base=1 / rate,
        pixel_format=head.mode,
        bit_depth=max(info.bit_depth for info in infos),
        chroma="4:2:0",  # their films are to be played everywhere
        has_alpha=any(info.has_alpha for info in infos),
        interlaced=False,
        color=_SRGB,
        aspect=Fraction(1),
        mastering=None,
        light=None,
        dynamic_hdr=False,
        stream_index=0,
        codecs=(f"video: {head.format}",),
        file_bytes=sum(info.file_bytes for info in infos),
        pictures=pictures,
        numbers=numbers,
    )


def _pictures(path: Path) -> dict[int, Path]:
    pattern = Pattern.of(path)
    if not path.is_dir():
        return {} if pattern is None else pattern.existing()
    groups: dict[tuple[str, str], dict[int, Path]] = {}
    for one in sorted(path.iterdir()):
        told = _NUMBERED.match(one.stem)
        if told is None or one.name.startswith(".") or one.suffix.lower() not in READABLE_SUFFIXES or one.is_dir():
            continue
        group = groups.setdefault((told[1], one.suffix.lower()), {})
        if int(told[2]) in group:
            raise InvalidVideoError(f"'{group[int(told[2])].name}' and '{one.name}' have the same number.")
        group[int(told[2])] = one
    if len(groups) > 1:
        names = " and ".join(f"'{next(iter(group.values())).name}'" for group in list(groups.values())[:2])
        raise InvalidVideoError(
            f"'{path.name}' holds several sequences ({names}); name one by its pattern, such as "
            f"'{path.name}/shot_%04d.png'."
        )
    return dict(sorted(next(iter(groups.values())).items())) if groups else {}


def _headers(pictures: Sequence[Path], limits: ImageLimits) -> list[ImageInfo]:
    infos = [image_io.probe(path, limits) for path in pictures]
    width, height = infos[0].width, infos[0].height
    for path, info in zip(pictures, infos, strict=True):
        if (info.width, info.height) != (width, height):
            raise InvalidVideoError(
                f"'{path.name}' has {info.width}x{info.height} pixels, but '{pictures[0].name}' {width}x{height}: the "
                "frames of a film are of one size."
            )
    return infos


def gaps(numbers: Sequence[int]) -> str | None:
    """The missing numbers as ``4, 10-11``, the first few of them; None where there are none."""
    missing = [
        f"{before + 1}" if after - before == 2 else f"{before + 1}-{after - 1}"
        for before, after in zip(numbers, numbers[1:], strict=False)
        if after - before > 1
    ]
    if not missing:
        return None
    return ", ".join(missing[:_NAMED_GAPS]) + (" and more" if len(missing) > _NAMED_GAPS else "")


def profile_name(info: VideoInfo) -> str | None:
    """What the first picture's colour profile is called, where it is another than sRGB."""
    from PIL import Image, ImageCms

    try:
        with Image.open(info.pictures[0]) as image:
            profile = image.info.get("icc_profile")
        if not isinstance(profile, bytes) or not profile:
            return None
        import io

        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (OSError, ValueError, SyntaxError, ImageCms.PyCMSError):  # formats that Pillow does not know have none here
        return None
    return None if "srgb" in name.casefold() else name or "unnamed"


def sequence_identity(info: VideoInfo) -> str:
    """Tells sequences apart without reading them: names, sizes and when they were written."""
    digest = hashlib.sha256()
    for path in info.pictures:
        facts = path.stat()
        digest.update(f"{path.name}|{facts.st_size}|{facts.st_mtime_ns}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class SequenceReader:
    """Reads pictures as ``FrameReader`` does frames; a time stamp is a picture's place, from 0.

    Args:
        alpha: give ``(H, W, 4)`` where the sequence has transparency; else it is laid on black.
    """

    def __init__(
        self, info: VideoInfo, start: float | None = None, end: float | None = None, *, alpha: bool = False
    ) -> None:
        self._info, self._alpha = info, alpha
        # Their headers were checked; a file that was changed since is no larger in pixels.
        self._limits = ImageLimits(2**40, info.width * info.height)
        self.time_base = info.time_base
        first, last = (None if seconds is None else self._place(seconds) for seconds in (start, end))
        self._places = range(first or 0, len(info.pictures) if last is None else min(last, len(info.pictures)))
        self.repaired = 0
        self.cut_off = False
        self.counted = True

    def _place(self, seconds: float) -> int:
        return -int(-(Fraction(seconds) / self.time_base - Fraction(1, 1000)) // 1)

    @property
    def expected(self) -> int | None:
        """How many frames there will be."""
        return len(self._places)

    def frames(self, after: int | None = None) -> Iterator[SourceFrame]:
        """Yield the frames; with ``after`` only those later than that place.

        A damaged picture is the one before once more; raises where it is the first one, and ``EmptyVideoError`` where
        there is none at all (never with ``after``).
        """
        if not self._places and after is None:
            raise EmptyVideoError(f"'{self._info.path.name}' holds no frames in that range.")
        last: Picture | None = None
        for place in self._places:
            if after is not None and place <= after:
                continue
            picture = self._load(place) if last is None else self._load_or_none(place)
            self.repaired += picture is None
            repaired, last = picture is None, picture or last
            assert last is not None
            yield SourceFrame(place, 1, self._pixels(last), repaired, last.metadata)

    def _load(self, place: int) -> Picture:
        return image_io.load(self._info.pictures[place], self._limits)

    def _load_or_none(self, place: int) -> Picture | None:
        try:
            picture = self._load(place)
            if picture.size != (self._info.width, self._info.height):
                raise InvalidImageError(f"'{self._info.pictures[place].name}' is of another size than it was.")
        except InvalidImageError as error:
            logger.warning("A frame cannot be decoded: %s", error)
            return None
        return picture

    def _pixels(self, picture: Picture) -> np.ndarray:
        pixels, alpha = picture.pixels, picture.alpha
        if picture.is_gray:
            pixels = np.repeat(pixels, 3, axis=2)
        if alpha is not None and not self._alpha:
            most = np.iinfo(alpha.dtype).max
            pixels = np.rint(pixels * (alpha[..., None].astype(np.float32) / most)).astype(pixels.dtype)
        elif self._alpha and self._info.has_alpha:
            if alpha is None:
                alpha = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
            pixels = np.dstack([pixels, alpha])
        if self._info.bit_depth > 8 and pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * np.uint16(257)
        return np.ascontiguousarray(pixels)


def check_options(path: Path, options: VideoOptions) -> None:
    """Raise ``InvalidSettingsError`` for what goes with films alone, or with pictures alone."""
    if is_sequence(path):
        if options.deinterlace in ("on", "double", "telecine"):
            raise InvalidSettingsError("Numbered pictures are whole frames: deinterlacing is for films.")
    elif options.rate is not None:
        raise InvalidSettingsError("A film has its own frame rate; a rate is for numbered pictures.")


__all__ = [
    "DEFAULT_RATE",
    "Pattern",
    "SequenceReader",
    "check_options",
    "frame_rate",
    "gaps",
    "is_sequence",
    "name_of",
    "probe_sequence",
    "profile_name",
    "sequence_identity",
]
