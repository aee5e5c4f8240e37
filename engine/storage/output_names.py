"""Names and formats of results: what a file is called, and what kind it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from engine.types import EnhanceSettings
from utils import image_io
from utils.errors import InvalidSettingsError, OutputError
from utils.files import sweep_temporaries
from utils.writers.base import output_error

_MARK = ".reserved"
_SAVED_AS = ".png, .jpg, .webp, .avif, .jxl, .tif, .gif or .pdf"


def output_format(settings: EnhanceSettings, input_format: str, output_path: Path | None = None) -> str:
    """The file format to write: the settings', else the output name's, else the input's, else PNG.

    Raises:
        InvalidSettingsError: the output name asks for a format that cannot be written.
    """
    if settings.format != "auto":
        return settings.format
    if output_path is not None:
        named = image_io.format_from_suffix(output_path)
        if named is not None:
            return named
        if output_path.suffix:
            raise InvalidSettingsError(
                f"'{output_path.name}' cannot be written: pictures are saved as {_SAVED_AS}. Choose such a name, or a "
                "format (--format)."
            )
    named = "jpeg" if input_format.lower() == "mpo" else input_format.lower()
    return named if named in image_io.SUFFIXES.values() else "png"


def goal_text(settings: EnhanceSettings) -> str:
    """The goal as it stands in file names: ``x4``, ``3840px``, ``1920x1080``, ``20x30cm`` or ``enhanced``."""
    if settings.scale is not None:
        return f"x{settings.scale:g}"
    if settings.long_edge is not None:
        return f"{settings.long_edge}px"
    if settings.width is not None or settings.height is not None:
        return f"{settings.width or ''}x{settings.height or ''}"
    if settings.print_size is not None:
        return f"{settings.print_size[0]:g}x{settings.print_size[1]:g}cm"
    return "enhanced"


def default_output_path(input_path: Path, folder: Path, settings: EnhanceSettings) -> Path:
    """``<folder>/<stem>_<goal>.<suffix>``, for instance ``photo_x4.png``."""
    input_path, folder = Path(input_path), Path(folder)
    kind = settings.format if settings.format != "auto" else image_io.format_from_suffix(input_path) or "png"
    return folder / f"{input_path.stem}_{goal_text(settings)}{image_io.output_suffix(kind)}"


@contextmanager
def reserved(path: Path) -> Iterator[Path]:
    """``path``, or with ``-2``, ``-3`` ... before the suffix where that name is taken; nobody else gets it meanwhile.

    A locked, hidden file beside it holds the name. The lock ends with the process, however that ends, so a name is
    never held for nothing; what a killed process left hidden, such a file or half a result, goes with the next
    reservation in that folder. When the block fails, what it wrote goes too.

    Raises:
        OutputError: nothing can be written there.
    """
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for left in path.parent.glob(f".*{_MARK}"):
                with _held(left):
                    pass
            sweep_temporaries(path.parent)
            candidate = _first_free(path, held)
        except OSError as error:
            raise output_error(path, error) from error
        except ValueError as error:  # a zero byte in the name
            raise OutputError(f"Cannot write '{path}': {error}.") from error
        try:
            yield candidate
        except BaseException:
            with suppress(OSError):
                candidate.unlink(missing_ok=True)
            raise


def _first_free(path: Path, held: ExitStack) -> Path:
    """The first of the names that neither a file nor a reservation has; ``held`` keeps it."""
    number, candidate = 1, path
    while True:
        if not os.path.lexists(candidate):
            with ExitStack() as attempt:
                # Looked at again: it may have been written and given free in between.
                if attempt.enter_context(_held(_mark_of(candidate))) and not os.path.lexists(candidate):
                    held.enter_context(attempt.pop_all())
                    return candidate
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")


def _mark_of(path: Path) -> Path:
    """The hidden file that holds a name. Of a fixed length: the name itself may be as long as names can be."""
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:20]}{_MARK}")


@contextmanager
def _held(mark: Path) -> Iterator[bool]:
    """Whether the lock could be taken; it is held within the block, and its file goes afterwards."""
    from filelock import FileLock, Timeout

    lock = FileLock(mark, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):  # Windows removes it when it is given free
            mark.unlink()
        lock.release()


def check_output(input_path: Path, output_path: Path, overwrite: bool) -> None:
    """Raise ``OutputError`` where a result may not be written."""
    if output_path.is_dir():
        raise OutputError(f"'{output_path}' is a folder; name a file for the result.")
    if output_path.exists():
        if input_path.exists() and output_path.samefile(input_path):
            raise OutputError(f"The result would overwrite its own input '{input_path}'. Choose another name.")
        if not overwrite:
            raise OutputError(f"'{output_path}' exists already. Choose another name, or allow overwriting (--force).")
