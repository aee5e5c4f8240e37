"""Pictures that lie on this machine, named by path; their enlarged versions mirror the folders in the output folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.processor import output_format
from engine.types import EnhanceSettings
from utils import image_io
from utils.errors import InvalidImageError

MARK = ".upscaled-"
"""Between a picture's full name and the goal: ``beach.jpg.upscaled-x4.png``."""


@dataclass(frozen=True)
class LibraryPicture:
    """A picture below a root. ``relative`` is how it is named to the outside."""

    path: Path
    root: Path
    relative: PurePosixPath


class Library:
    """Finds pictures and their enlarged versions; nothing outside the roots is ever named, read or removed.

    Args:
        roots: resolved folders whose pictures may be enlarged.
        output: folder of the enlarged versions.
    """

    def __init__(self, roots: tuple[Path, ...], output: Path) -> None:
        self._roots = roots
        self._output = output.resolve() / "library"

    def find(self, name: str) -> LibraryPicture:
        """The picture of that name, below the first root that has it.

        Raises:
            InvalidImageError: no such picture; the same sentence whether it does not exist or may not be named.
        """
        refused = InvalidImageError(f"There is no picture '{name[:200]}' in the library.")
        given = PurePosixPath(name)
        if not _is_inner(given):
            raise refused
        for root in self._roots:
            try:
                path = (root / given).resolve(strict=True)
                if path.is_relative_to(root) and path.is_file() and path.suffix.lower() in image_io.READABLE_SUFFIXES:
                    return LibraryPicture(path, root, given)
            except (OSError, ValueError, RuntimeError):  # missing, a name too long, a loop of links
                continue
        raise refused

    def target(self, picture: LibraryPicture, settings: EnhanceSettings, *, is_plain: bool = True) -> Path:
        """Where the enlarged version belongs; special wishes (``is_plain`` False) get a name of their own."""
        goal = f"x{settings.scale:g}" if settings.scale else f"{settings.long_edge}px" if settings.long_edge else "auto"
        if not is_plain:
            goal += f"-{hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:10]}"
        named = image_io.format_from_suffix(picture.path)
        suffix = image_io.output_suffix(output_format(settings, named or "png"))
        name = f"{picture.relative.name}{MARK}{goal}{suffix}"
        return self._folder(picture) / name

    def _folder(self, picture: LibraryPicture) -> Path:
        return self._output / str(self._roots.index(picture.root)) / Path(*picture.relative.parts[:-1])

    def versions(self, picture: LibraryPicture) -> list[Path]:
        """All enlarged versions of a picture."""
        prefix, own = f"{picture.relative.name}{MARK}", picture.relative.as_posix()
        try:
            found = [path for path in self._folder(picture).iterdir() if path.name.startswith(prefix)]
        except OSError:
            return []
        # The mark may be in a picture's own name: that one's versions begin so too.
        return sorted(path for path in found if self.original_name(path) == own)

    def left_over(self, name: str) -> list[Path]:
        """The versions of a picture that is not there any more; none for one that is."""
        try:
            self.find(name)
            return []
        except InvalidImageError:
            given = PurePosixPath(name)
        if not _is_inner(given):
            return []
        folders = [self._output / str(number) / Path(*given.parts[:-1]) for number in range(len(self._roots))]
        found = []
        for folder in folders:
            if folder.is_dir() and folder.resolve().is_relative_to(self._output):
                found += [path for path in folder.iterdir() if path.name.startswith(f"{given.name}{MARK}")]
        return sorted(path for path in found if self.original_name(path) == given.as_posix())

    def all_versions(self) -> list[Path]:
        """Every enlarged version there is."""
        return sorted(path for path in self._output.rglob(f"*{MARK}*") if path.is_file())

    def public_path(self, version: Path) -> str:
        """How a version is named to the outside: ``library-files/0/holiday/beach.jpg.upscaled-x4.png``."""
        return f"library-files/{version.relative_to(self._output).as_posix()}"

    def original_name(self, version: Path) -> str:
        """The library path of the picture that a version was made from."""
        inner = version.relative_to(self._output)
        return str(PurePosixPath(*inner.parts[1:-1]) / inner.name.rpartition(MARK)[0])

    def version_at(self, name: str) -> Path | None:
        """The version with that public name (without ``library-files/``), or None."""
        try:
            path = (self._output / name).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if path.is_relative_to(self._output) and path.is_file() and MARK in path.name else None


def _is_inner(given: PurePosixPath) -> bool:
    """Whether a name can only mean something below the folder that it is put behind, on every system."""
    strange = any(sign in str(given) for sign in ("\\", ":", "\0"))
    return bool(given.parts) and not given.is_absolute() and ".." not in given.parts and not strange


def is_fresh(version: Path, picture: LibraryPicture) -> bool:
    """Whether an enlarged version exists and is newer than its picture."""
    try:
        return version.stat().st_mtime >= picture.path.stat().st_mtime
    except OSError:
        return False
