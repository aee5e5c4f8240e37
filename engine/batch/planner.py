"""From what was given to a batch to its items: pictures found, outputs named, disk space estimated."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.batch.archive import ArchiveLimits, extract_pictures
from engine.batch.journal import Entry, read_journal
from engine.batch.names import NameRegister, check_template, output_name
from engine.batch.spec import BatchSpec
from engine.pixels.sizing import plan_size
from engine.processor import limits_of
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import EngineError, InvalidImageError, InvalidSettingsError
from utils.image_files import READABLE_SUFFIXES
from utils.names import as_text
from utils.page_numbers import chosen_pages

_BYTES_PER_PIXEL = {"png": 1.9, "jpeg": 0.8, "webp": 0.6, "avif": 0.5, "jxl": 0.8, "tiff": 2.2, "gif": 0.8, "pdf": 0.8}
"""Of enlarged photographs at the default quality; an estimate, good to a factor of two."""
_NATIVE_SCALE = 4


@dataclass(frozen=True)
class Source:
    """A picture that was found.

    Attributes:
        identity: stays the same from run to run: the absolute path, for a ZIP with the path inside it.
        relative: where its output goes below the output folder; its last part is the input's own name.
    """

    path: Path
    identity: str
    relative: PurePosixPath


@dataclass(frozen=True)
class BatchItem:
    """One picture with its output.

    Attributes:
        estimated_bytes: of the output.
        problem: why the input cannot be read, as far as its header shows.
        earlier: what an earlier run left in the journal about this picture, unchanged, with these settings.
    """

    number: int
    source: Source
    target: Path
    input_size: tuple[int, int] | None = None
    output_size: tuple[int, int] | None = None
    estimated_bytes: int = 0
    problem: str | None = None
    earlier: Entry | None = None

    @property
    def done_before(self) -> bool:
        """Whether an earlier run finished it, and its output is still there."""
        return self.earlier is not None and self.earlier.finished_output

    @property
    def name(self) -> str:
        """Its path inside the batch's input, with ``/``; for people, as ``utils.names.as_text``."""
        return as_text(self.source.relative.as_posix())

    @property
    def work(self) -> float:
        """Share of the whole, in pixels of the output."""
        width, height = self.output_size or (1, 1)
        return float(width * height)


@dataclass(frozen=True)
class BatchPlan:
    """``collisions`` are sentences about names that were changed; ``free_bytes`` is what the disk has."""

    items: tuple[BatchItem, ...]
    collisions: tuple[str, ...]
    estimated_bytes: int
    free_bytes: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """Changed names, and a disk that will be too small, in sentences."""
        if self.estimated_bytes <= self.free_bytes:
            return self.collisions
        return (
            *self.collisions,
            f"The results will take about {self.estimated_bytes / 1e9:.1f} GB, but only {self.free_bytes / 1e9:.1f} GB "
            "are free on that disk.",
        )


class Planner:
    """Turns found pictures into items; pictures that arrive later go through the same one."""

    def __init__(self, spec: BatchSpec) -> None:
        self._spec, self._settings, self._options = spec, spec.settings, spec.options
        check_template(self._options.name_template)
        known = read_journal(spec.output_dir)
        self._entries = known.entries
        self._real_folders: dict[Path, str] = {}
        self._results = {self._place(target) for target in known.targets}
        self._inputs: set[str] = set()
        self._names = NameRegister(lambda path: self._place(path) in self._inputs, overwrite=self._options.overwrite)
        self._count = 0
        self.collisions: list[str] = []
        self.several = False
        """Whether several folders or ZIP files were given, each of which gets a folder of its own."""

    def plan(self, inputs: Sequence[Path | str], workspace: Path) -> BatchPlan:
        """Find the pictures and plan them. Raises as ``plan_batch``."""
        options = self._options
        self.several = are_several(inputs)
        items = self.items(list(self.find(inputs, workspace)))
        if not items and not options.watch:
            names = ", ".join(f"'{one}'" for one in list(inputs)[:3])
            raise InvalidImageError(f"No picture was found in {names}. Name picture files, folders or ZIP files.")
        if self.collisions and options.collisions == "refuse":
            collisions = " ".join(self.collisions[:5])
            raise InvalidSettingsError(f"{collisions} Choose another name template or output folder.")
        estimate = sum(item.estimated_bytes for item in items if not item.done_before)
        return BatchPlan(tuple(items), tuple(self.collisions), estimate, _free(self._spec.output_dir))

    def find(self, inputs: Sequence[Path | str], workspace: Path) -> Iterator[Source]:
        """The pictures that are there now, as ``find_sources``; their outputs lie as those that were planned do."""
        return find_sources(inputs, self._spec, workspace, several=self.several)

    def items(self, sources: Sequence[Source]) -> list[BatchItem]:
        """Items for sources; results of this or an earlier run are none, where output and input folder are one."""
        sources = [source for source in sources if not self._is_result(source)]
        earlier = [self._earlier(source) for source in sources]
        # Names of earlier runs first, so that a new picture before them in the order does not take one.
        self._inputs.update(self._place(source.path) for source in sources)
        for source, entry in zip(sources, earlier, strict=True):
            if entry is not None:
                self._names.keep(entry.target, source.identity, source.relative.as_posix())
        return [self._item(source, entry) for source, entry in zip(sources, earlier, strict=True)]

    def _is_result(self, source: Source) -> bool:
        """Whether a file that was found is an output of this or an earlier run."""
        return self._place(source.path) in self._results

    def _place(self, path: Path) -> str:
        """The same for all ways of writing a path: with ``..``, through a link to its folder."""
        folder = path.parent
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        return os.path.normcase(os.path.join(self._real_folders[folder], path.name))

    def _earlier(self, source: Source) -> Entry | None:
        if not self._options.resume:
            return None
        entry = self._entries.get((source.identity, self._spec.key))
        if entry is None or not entry.stamp.still_fits(source.path):
            return None
        usable = entry.finished_output or self._options.overwrite or not entry.target.exists()
        return entry if usable else None

    def _item(self, source: Source, entry: Entry | None) -> BatchItem:
        self._count += 1
        target = entry.target if entry is not None else self._new_target(source)
        self._results.add(self._place(target))
        if entry is not None and entry.finished_output:
            return BatchItem(self._count, source, target, earlier=entry)
        try:
            info = image_io.probe(source.path, limits_of(self._spec.config, self._settings))
            limit = int(self._spec.config.max_output_megapixels * 10**6)
            size = plan_size(
                info.width, info.height, self._settings, native_scale=_NATIVE_SCALE, max_output_pixels=limit
            )
            pages = len(chosen_pages(self._settings.pages, info.pages, source.path.name))
        except EngineError as error:
            return BatchItem(self._count, source, target, problem=str(error), earlier=entry)
        pixels = size.canvas[0] * size.canvas[1] * info.frames * pages
        estimate = int(pixels * _BYTES_PER_PIXEL[image_io.format_from_suffix(target) or "png"])
        return BatchItem(self._count, source, target, (info.width, info.height), size.canvas, estimate, earlier=entry)

    def _new_target(self, source: Source) -> Path:
        # For a picture in a ZIP this is its name in there, not the one it was extracted to.
        named = Path(source.identity.replace("!/", "/"))
        name = output_name(self._options.name_template, named, self._count, self._settings)
        wanted = self._spec.output_dir.joinpath(*source.relative.parent.parts, name)
        target, collision = self._names.give(wanted, source.identity, source.relative.as_posix())
        if collision is not None:
            self.collisions.append(collision)
        return target


def are_several(inputs: Sequence[Path | str]) -> bool:
    """Whether there is more than one folder or ZIP file."""
    paths = [Path(one).absolute() for one in inputs]
    return sum(path.is_dir() or _is_zip(path) for path in paths) > 1


def find_sources(inputs: Sequence[Path | str], spec: BatchSpec, workspace: Path, *, several: bool) -> Iterator[Source]:
    """Every picture once, folders in natural order, hidden files and the output folder left out.

    Args:
        several: give each folder and ZIP file a folder of its own in the output.
    """
    paths = [Path(one).absolute() for one in inputs]
    seen: set[str] = set()
    for path in paths:
        name = path.stem if _is_zip(path) else os.path.basename(os.path.abspath(path))  # ".." is no name
        prefix = PurePosixPath(name if several else "")
        if path.is_dir():
            found: Iterator[Source] = (
                Source(one, str(one), prefix / one.relative_to(path).as_posix())
                for one in pictures_in(path, spec.output_dir, recursive=spec.options.recursive)
            )
        elif _is_zip(path):
            found = _from_archive(path, prefix, workspace, spec.config)
        else:
            found = iter([Source(path, str(path), PurePosixPath(path.name))])
        for source in found:
            if source.identity not in seen:
                seen.add(source.identity)
                yield source


def pictures_in(folder: Path, output_dir: Path, *, recursive: bool) -> Iterator[Path]:
    """Files with a picture's suffix. Links to folders are not followed: they may lead in circles."""
    results = _real(output_dir)
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            (name for name in folders if recursive and not name.startswith(".") and _real(here / name) != results),
            key=_natural,
        )
        for name in sorted(files, key=_natural):
            if not name.startswith(".") and Path(name).suffix.lower() in READABLE_SUFFIXES:
                yield here / name


def _real(folder: Path) -> str:
    return os.path.normcase(os.path.realpath(folder))


def _from_archive(path: Path, prefix: PurePosixPath, workspace: Path, config: EngineConfig) -> Iterator[Source]:
    limits = ArchiveLimits(max_member_bytes=limits_of(config).max_bytes)
    folder = workspace / f"{path.stem}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
    for extracted, inside in extract_pictures(path, folder, limits):
        yield Source(extracted, f"{path}!/{inside}", prefix / inside)


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and path.is_file()


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts "page 2" before "page 10"."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _free(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
