"""ZIP files in and out of a batch."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from utils.errors import ImageTooLargeError, InvalidImageError
from utils.image_files import READABLE_SUFFIXES
from utils.names import as_text
from utils.writers.base import AtomicFile, output_error

_CHUNK = 2**20


@dataclass(frozen=True)
class ArchiveLimits:
    """What a ZIP may hold: pictures, bytes of all of them and of one. The bytes that come out count, not the claim."""

    max_members: int = 20_000
    max_total_bytes: int = 20 * 10**9
    max_member_bytes: int = 200 * 10**6


def extract_pictures(archive: Path, folder: Path, limits: ArchiveLimits) -> list[tuple[Path, PurePosixPath]]:
    """Extract the pictures of a ZIP into ``folder``.

    Only members with a picture's suffix are touched. A member gets a plain numbered name, so nothing in its own name
    can lead out of the folder; that name comes back beside the file, with unsafe parts refused.

    Returns:
        (extracted file, path inside the ZIP) in the archive's order.

    Raises:
        InvalidImageError: no ZIP, damaged, encrypted, or a member's path leads outside.
        ImageTooLargeError: over a limit; nothing of it is left.
    """
    extracted: list[tuple[Path, PurePosixPath]] = []
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if _is_picture(member)]
            if len(members) > limits.max_members:
                raise ImageTooLargeError(
                    f"'{archive.name}' holds {len(members)} pictures; the limit is {limits.max_members}."
                )
            left = limits.max_total_bytes
            folder.mkdir(parents=True, exist_ok=True)
            for index, member in enumerate(members):
                inside = _safe_path(archive, member.filename)
                target = folder / f"{index:05d}{inside.suffix.lower()}"
                extracted.append((target, inside))
                left -= _extract_one(opened, member, target, archive, min(left, limits.max_member_bytes))
    except (ImageTooLargeError, InvalidImageError):
        _remove(extracted)
        raise
    except OSError as error:
        _remove(extracted)
        raise InvalidImageError(f"'{archive}' cannot be extracted: {error.strerror or error}.") from error
    except Exception as error:  # each way of packing has its own kind of error for damage
        _remove(extracted)
        raise InvalidImageError(f"'{archive}' is not a ZIP file that can be read: {error}.") from error
    return extracted


def _is_picture(member: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = name.name.startswith(".") or "__MACOSX" in name.parts
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return not (member.is_dir() or hidden or is_link) and name.suffix.lower() in READABLE_SUFFIXES


def _safe_path(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or any(":" in part or "\0" in part for part in path.parts):
        raise InvalidImageError(f"'{archive.name}' is refused: its member '{name}' would be written outside.")
    return path


def _extract_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, archive: Path, most: int) -> int:
    written = 0
    with opened.open(member) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > most:
                break
            file.write(chunk)
    if written > most:
        raise ImageTooLargeError(
            f"'{archive.name}' is refused: with '{member.filename}' it is over the limit of extracted bytes."
        )
    return written


def _remove(extracted: list[tuple[Path, PurePosixPath]]) -> None:
    for path, _ in extracted:
        path.unlink(missing_ok=True)


def zip_results(paths: Iterable[Path], archive: Path, root: Path | None = None) -> Path:
    """Put finished files into a ZIP, under their paths below ``root`` (or their bare names); no compression.

    Raises ``OutputError``; then no partial file remains.
    """
    output = AtomicFile(Path(archive))
    used: set[str] = set()
    try:
        with zipfile.ZipFile(output.file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as opened:
            for path in paths:
                inside = path.relative_to(root) if root is not None and path.is_relative_to(root) else Path(path.name)
                opened.write(path, _unused(Path(as_text(str(inside))), used))
        output.commit()
    except OSError as error:
        output.abort()
        raise output_error(Path(archive), error) from error
    except BaseException:
        output.abort()
        raise
    return Path(archive)


def _unused(inside: Path, used: set[str]) -> str:
    candidate, number = inside, 1
    while candidate.as_posix().casefold() in used:
        number += 1
        candidate = inside.with_name(f"{inside.stem}-{number}{inside.suffix}")
    used.add(candidate.as_posix().casefold())
    return candidate.as_posix()
