"""Opening video files, with faults of the file named for the person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from utils.errors import EmptyVideoError, InvalidVideoError, NoVideoStreamError, TruncatedVideoError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


@contextmanager
def opened(path: Path | str) -> Iterator[InputContainer]:
    """The file's container, open for reading. Raises one of ``InvalidVideoError``'s kinds where it cannot be opened."""
    import av

    path = Path(path)
    check_file(path)
    try:
        container = av.open(str(path), mode="r", metadata_errors="replace")
    except av.FFmpegError as error:
        raise _named(path, error) from error
    with container:
        yield container


def check_file(path: Path) -> None:
    """Raise ``InvalidVideoError`` for what is no file, ``EmptyVideoError`` for one without bytes."""
    try:
        if not path.is_file():
            raise InvalidVideoError(f"There is no file '{path}'.")
        if path.stat().st_size == 0:
            raise EmptyVideoError(f"'{path.name}' is empty: it has no bytes. Copy or download it again.")
    except (OSError, ValueError) as error:
        raise InvalidVideoError(
            f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from error


def _named(path: Path, error: object) -> InvalidVideoError:
    """FFmpeg's error as one of ours."""
    text = str(getattr(error, "strerror", None) or error)
    log = getattr(error, "log", None)
    detail = f"{text} {log[2] if log else ''}".lower()
    if looks_cut_off(path) or "moov atom not found" in detail:
        return TruncatedVideoError(
            f"'{path.name}' is cut off: the index of its frames is missing, as after a broken download or recording. "
            "Copy or download it again."
        )
    return InvalidVideoError(f"'{path.name}' is not a video that can be read: {text}.")


def looks_cut_off(path: Path) -> bool:
    """Whether an MP4 or MOV file announces more bytes than it has, or has no index."""
    found: set[bytes] = set()
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position + 8 <= size and len(found) < 64:
            file.seek(position)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if not found and kind not in (b"ftyp", b"styp", b"wide", b"skip", b"free", b"mdat", b"moov"):
                return False
            found.add(kind)
            if length == 1 and len(head) == 16:
                length = int.from_bytes(head[8:16], "big")
            if length == 0:
                break
            if length < 8 or position + length > size:
                return True
            position += length
    return bool(found) and b"moov" not in found


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first moving picture; cover art does not count. Raises ``NoVideoStreamError``."""
    import av

    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    kinds = sorted({stream.type for stream in container.streams})
    held = f" (only {', '.join(kinds)})" if kinds else ""
    raise NoVideoStreamError(f"'{name}' holds no video{held}.")


__all__ = ["check_file", "looks_cut_off", "opened", "video_stream"]
