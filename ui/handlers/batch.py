"""The Batch tab's work: from what a person chose to a batch that runs, and back to one after a refresh or a crash."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from engine.batch import (
    REQUEST_NAME,
    BackgroundBatch,
    BatchControl,
    BatchOptions,
    BatchQueue,
    BatchRequest,
    BatchSnapshot,
    Enhance,
    ItemState,
    check_in_place,
    forget_request,
    is_running,
    journal_place,
    load_request,
    unfinished_requests,
    zip_results,
)
from engine.jobs.job_list import JobList
from engine.model_manager import ModelManager
from engine.settings_manager import SettingsManager
from engine.storage.presets import merge_settings
from engine.types import EnhanceFile, EnhanceResult, EnhanceSettings
from ui.handlers.batch_job import BatchJob
from ui.handlers.common import make_settings
from ui.visitors import Visitor
from utils.addresses import is_from_this_machine, is_loopback
from utils.errors import EngineError, InvalidImageError, InvalidSettingsError, OutputError

How = Literal["image", "preset", "auto"]
OriginalsPolicy = Literal["keep", "trash", "backup"]
_PLACE = "batch-"
_ELSEWHERE = "where.txt"
_KEPT_WITH_AUTO = ("format", "quality", "exif", "salvage")
RESULTS_BESIDE = "enhanced"
"""Folder of the results inside a folder of this machine, where the person names none."""


@dataclass(frozen=True)
class Wanted:
    """What the tab's fields say.

    Attributes:
        uploads: files that were uploaded; count when ``folder`` is empty.
        folder: a folder of the machine that the program runs on.
        template: of names; empty = the usual one.
        output: folder for results; only together with ``folder``.
        from_here: whether the browser runs on this machine, see ``is_from_here``.
        originals: keep them, or put results in their places, they themselves into the trash or the folder ``backup``.
    """

    uploads: tuple[Path, ...] = ()
    folder: str = ""
    recursive: bool = True
    watch: bool = False
    template: str = ""
    output: str = ""
    skip_done: bool = True
    overwrite: bool = False
    from_here: bool = True
    originals: OriginalsPolicy = "keep"
    backup: str = ""


def may_name_folders(config: Any) -> bool:
    """Whether people may name folders of this machine: when only this machine reaches the page, or roots are set."""
    return bool(config.api_library_roots) or only_local(config)


def only_local(config: Any) -> bool:
    """Whether the program is served to this machine only."""
    return is_loopback(config.server_name) and not config.share


def is_from_here(request: Any) -> bool:
    """Whether a page's request was made on this machine, for an address of this machine."""
    return is_from_this_machine(getattr(request, "headers", None) or {})


def allowed_folder(text: str, config: Any, *, must_exist: bool = True, from_here: bool = True) -> Path:
    """A folder that a person named.

    Args:
        from_here: as in ``Wanted``; from elsewhere only folders below the configuration's roots are allowed.

    Raises:
        InvalidSettingsError: it may not be named here, or does not exist.
    """
    try:
        folder = Path(text.strip().strip("\"'")).expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidSettingsError(f"'{text}' is not a folder: {error}.") from error
    roots = [Path(root.strip()).expanduser().resolve() for root in config.api_library_roots.split(",") if root.strip()]
    if not (only_local(config) and from_here) and not any(folder.is_relative_to(root) for root in roots):
        raise InvalidSettingsError(
            "This folder may not be named. Whoever runs the program can allow it with REALESRGAN_API_LIBRARY_ROOTS."
        )
    if must_exist and not folder.is_dir():
        raise InvalidSettingsError(f"'{folder}' is not a folder of the machine that the program runs on.")
    return folder


def settings_of(
    how: How, form: Mapping[str, Any], preset: str | None, presets: SettingsManager, manager: ModelManager
) -> tuple[EnhanceSettings, bool]:
    """The batch's settings, and whether each picture's own are decided on top of them. Raises ``EngineError``."""
    settings = make_settings(form)
    if how == "auto":
        kept = settings.model_dump(include=set(_KEPT_WITH_AUTO))
        return EnhanceSettings.create(**kept), True
    if how == "preset":
        if not preset:
            raise InvalidSettingsError("Choose a preset first.")
        installed = [status.name for status in manager.usable_upscalers()]
        return merge_settings(presets.get(preset).resolve(frozenset(installed)), {}), False
    return settings, False


def make_request(
    wanted: Wanted, settings: EnhanceSettings, per_picture: bool, place: Path, config: Any
) -> BatchRequest:
    """The batch as a value; touches no file.

    Args:
        place: folder of this batch's own, for results and for what comes out of ZIP files.

    Raises ``EngineError`` with what is missing or wrong.
    """
    options = BatchOptions(
        recursive=wanted.recursive,
        name_template=wanted.template.strip() or BatchOptions().name_template,
        overwrite=wanted.overwrite,
        resume=wanted.skip_done,
        watch=wanted.watch and bool(wanted.folder.strip()),
        in_place=wanted.originals != "keep" and bool(wanted.folder.strip()),
    )
    if wanted.folder.strip():
        if not may_name_folders(config):
            raise InvalidSettingsError("Folders of this machine may not be named here. Upload the pictures instead.")
        folder = allowed_folder(wanted.folder, config, from_here=wanted.from_here)
        if options.in_place:
            return _in_place(wanted, folder, settings, options, per_picture, config)
        named = wanted.output.strip()
        output = folder / RESULTS_BESIDE
        if named:
            output = allowed_folder(named, config, must_exist=False, from_here=wanted.from_here)
        return BatchRequest((folder,), output, settings, options, per_picture)
    if not wanted.uploads:
        raise InvalidImageError("Choose pictures, a ZIP file or a folder first.")
    return BatchRequest(wanted.uploads, place / "out", settings, options, per_picture, place / "zip")


def _in_place(
    wanted: Wanted, folder: Path, settings: EnhanceSettings, options: BatchOptions, per_picture: bool, config: Any
) -> BatchRequest:
    if wanted.originals == "backup":
        if not wanted.backup.strip():
            raise InvalidSettingsError("Name a folder for the originals.")
        kept = allowed_folder(wanted.backup, config, must_exist=False, from_here=wanted.from_here)
        options = replace(options, backup=str(kept))
    check_in_place(options)
    place = journal_place(config.data_dir, [folder], settings, options)
    return BatchRequest((folder,), place, settings, options, per_picture)


def may_undo(config: Any, request: Any) -> bool:
    """Whether originals may be put back from a page: they are this machine's, and so has the person to be."""
    return only_local(config) and is_from_here(request)


def new_place(visitor: Visitor) -> Path:
    """A folder for one batch, below the browser's own; not made yet."""
    return visitor.folder / f"{_PLACE}{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


def _settled(request: BatchRequest, place: Path) -> BatchRequest:
    """The request with its uploads in the batch's own folder, or a note there of where its results go.

    Raises ``OutputError``; then nothing is left of the folder.
    """
    try:
        if request.output_dir.is_relative_to(place):
            return take_uploads(request, place)
        place.mkdir(parents=True, exist_ok=True)
        (place / _ELSEWHERE).write_text(str(request.output_dir), "utf-8")
        return request
    except (OSError, UnicodeError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise OutputError(f"'{place}' cannot be written: {getattr(error, 'strerror', None) or error}.") from error


def _pointed(pointer: Path) -> Path | None:
    """The folder that a batch writes into; None where the note of it is gone or cannot be read."""
    try:
        return Path(pointer.read_text("utf-8"))
    except (OSError, UnicodeError):
        return None


def take_uploads(request: BatchRequest, place: Path) -> BatchRequest:
    """Bring uploads to where they outlive the upload folder, so that the batch can be gone on with tomorrow."""
    taken = []
    for number, path in enumerate(request.inputs, 1):
        target = place / "in" / path.name
        if target.exists():  # two of one name from different folders
            target = place / "in" / str(number) / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:
            if path.is_file():
                shutil.copyfile(path, target)
        taken.append(target)
    return replace(request, inputs=tuple(taken))


class BatchService:
    """Every browser's batch: one at a time each, found again after a refresh.

    Args:
        enhance: does one picture, ``(input, output, settings, *, control, overwrite)``; None = the engine, here.
        job_list: the list of all jobs.
    """

    def __init__(
        self,
        manager: ModelManager,
        config: Any,
        enhance: EnhanceFile | None = None,
        job_list: JobList | None = None,
    ) -> None:
        self._manager, self._config, self._enhance = manager, config, enhance
        self._job_list = job_list or JobList()
        self._queue = BatchQueue()

    def current(self, visitor: Visitor) -> BackgroundBatch | None:
        """The browser's newest batch, running or not."""
        return visitor.memory.get("batch")

    def begin(self, visitor: Visitor, request: BatchRequest, place: Path | None = None) -> BackgroundBatch:
        """Start a batch. Raises ``InvalidSettingsError`` while another of this browser runs, or ``QueueFullError``.

        Args:
            place: the batch's own folder, when it is a new one.
        """
        with visitor.memory.setdefault("batch lock", threading.Lock()):  # two windows may start at once
            before = self.current(visitor)
            if before is not None and before.snapshot().active:
                raise InvalidSettingsError("A batch is running here. Wait for it, or cancel it first.")
            if place is not None:
                request = _settled(request, place)
            batch = BackgroundBatch(
                request, manager=self._manager, config=self._config, queue=self._queue, enhance=self._one_way()
            )
            visitor.memory["batch"] = batch
            self._job_list.add(BatchJob(batch, visitor.key))
            return batch

    def _one_way(self) -> Enhance | None:
        enhance = self._enhance
        if enhance is None:
            return None

        def one(source: Path, target: Path, how: EnhanceSettings, control: BatchControl, again: bool) -> EnhanceResult:
            return enhance(source, target, how, control=control, overwrite=again)

        return one

    def retry_failed(self, visitor: Visitor) -> BackgroundBatch:
        """Once more over the browser's last batch: what is done stays, what failed is tried again."""
        batch = self.current(visitor)
        if batch is None:
            raise InvalidSettingsError("There is no batch to try again.")
        return self.begin(visitor, batch.request.but(retry_failed=True, resume=True))

    def unfinished(self, visitor: Visitor) -> BatchRequest | None:
        """A batch of this browser that was killed or cancelled and that nobody runs now; the newest."""
        found = list(unfinished_requests(visitor.folder))
        pointers = sorted(visitor.folder.glob(f"{_PLACE}*/{_ELSEWHERE}"), reverse=True)  # names begin with their time
        for output in dict.fromkeys(map(_pointed, pointers)):
            if output is not None:
                with suppress(EngineError):  # finished since
                    found.append(load_request(output))
        return next((one for one in found if not is_running(one.output_dir)), None)

    def go_on(self, visitor: Visitor) -> BackgroundBatch:
        """Finish an unfinished batch. Raises ``EngineError``."""
        request = self.unfinished(visitor)
        if request is None:
            raise InvalidSettingsError("There is no unfinished batch.")
        return self.begin(visitor, request.but(resume=True))

    def forget(self, visitor: Visitor) -> None:
        """Offer the unfinished batch no more; its results stay."""
        request = self.unfinished(visitor)
        if request is not None:
            forget_request(request.output_dir)


def zip_all(batch: BackgroundBatch, visitor: Visitor) -> Path:
    """Every finished picture in one ZIP, in the folders of the output; replaces the browser's ZIP before it.

    Raises ``InvalidSettingsError`` while nothing is finished, ``OutputError``.
    """
    paths = list(finished(batch.snapshot()))
    if not paths:
        raise InvalidSettingsError("No picture is finished yet.")
    target = visitor.folder / "zip" / "enhanced.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    return zip_results(paths, target, batch.request.output_dir)


def finished(snapshot: BatchSnapshot) -> Iterable[Path]:
    """Results that are there."""
    return (
        item.target
        for item in snapshot.items
        if item.state in (ItemState.DONE, ItemState.SKIPPED) and item.target.is_file()
    )


def sweep_uploads(root: Path, keep_seconds: float) -> int:
    """Remove what was uploaded for batches, and ZIP files of results, older than that. Results stay, and uploads of a
    batch that runs or is not finished. Returns how many folders and files went.
    """
    oldest, removed = time.time() - keep_seconds, 0
    for place in root.glob(f"session-*/{_PLACE}*"):
        if place.stat().st_mtime > oldest or (place / "out" / REQUEST_NAME).exists() or is_running(place / "out"):
            continue
        for folder in (place / "in", place / "zip"):
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    for archive in root.glob("session-*/zip/*.zip"):
        if archive.stat().st_mtime < oldest:
            archive.unlink(missing_ok=True)
            removed += 1
    return removed
