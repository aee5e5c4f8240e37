"""The Batch tab's work: from what a person chose to a batch that runs, and back to one after a refresh or a crash."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from engine.batch import (
    BackgroundBatch,
    BatchControl,
    BatchLine,
    BatchOptions,
    BatchRequest,
    BatchSnapshot,
    ItemState,
    forget_request,
    is_running,
    unfinished_requests,
    zip_results,
)
from engine.batch.request import REQUEST_NAME
from engine.batch.run import Enhance
from engine.model_manager import ModelManager
from engine.presets import merge_settings
from engine.settings_manager import SettingsManager
from engine.types import EnhanceResult, EnhanceSettings
from ui.handlers.common import make_settings
from ui.sessions import Session
from utils.addresses import is_loopback
from utils.errors import InvalidImageError, InvalidSettingsError

How = Literal["image", "preset", "auto"]
_PLACE = "batch-"
_ELSEWHERE = "where.txt"
_KEPT_WITH_AUTO = ("format", "quality", "exif")
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


def may_name_folders(config: Any) -> bool:
    """Whether people may name folders of this machine: when only this machine reaches the page, or roots are set."""
    return bool(config.api_library_roots) or _only_local(config)


def _only_local(config: Any) -> bool:
    return is_loopback(config.server_name) and not config.share


def is_from_here(request: Any) -> bool:
    """Whether a page's request was made on this machine, for an address of this machine.

    A server that listens on loopback alone is still reached from outside through a proxy on this machine, and by a
    page of another site whose host name was pointed at 127.0.0.1 (DNS rebinding); their headers give them away.
    """
    headers = getattr(request, "headers", None) or {}
    if any(name in headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")):
        return False
    origin, host = headers.get("origin"), headers.get("host")
    named = [urlsplit(address).hostname for address in (origin, f"//{host}" if host else None) if address]
    return all(name is not None and is_loopback(name) for name in named)


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
    if not (_only_local(config) and from_here) and not any(folder.is_relative_to(root) for root in roots):
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
    )
    if wanted.folder.strip():
        if not may_name_folders(config):
            raise InvalidSettingsError("Folders of this machine may not be named here. Upload the pictures instead.")
        folder = allowed_folder(wanted.folder, config, from_here=wanted.from_here)
        named = wanted.output.strip()
        output = folder / RESULTS_BESIDE
        if named:
            output = allowed_folder(named, config, must_exist=False, from_here=wanted.from_here)
        return BatchRequest((folder,), output, settings, options, per_picture)
    if not wanted.uploads:
        raise InvalidImageError("Choose pictures, a ZIP file or a folder first.")
    return BatchRequest(wanted.uploads, place / "out", settings, options, per_picture, place / "zip")


def new_place(session: Session) -> Path:
    """A folder for one batch, below the browser's own; not made yet."""
    return session.folder / f"{_PLACE}{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


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


class BatchDesk:
    """Every browser's batch: one at a time each, found again after a refresh.

    Args:
        enhance: does one picture, ``(input, output, settings, *, control, overwrite)``; None = the engine, here.
    """

    def __init__(self, manager: ModelManager, config: Any, enhance: Callable[..., EnhanceResult] | None = None) -> None:
        self._manager, self._config, self._enhance = manager, config, enhance
        self._line = BatchLine()

    def current(self, session: Session) -> BackgroundBatch | None:
        """The browser's newest batch, running or not."""
        return session.memory.get("batch")

    def begin(self, session: Session, request: BatchRequest, place: Path | None = None) -> BackgroundBatch:
        """Start a batch. Raises ``InvalidSettingsError`` while another of this browser runs, or ``QueueFullError``.

        Args:
            place: the batch's own folder, when it is a new one.
        """
        before = self.current(session)
        if before is not None and before.snapshot().active:
            raise InvalidSettingsError("A batch is running here. Wait for it, or cancel it first.")
        if place is not None:
            if request.output_dir.is_relative_to(place):
                request = take_uploads(request, place)
            else:
                place.mkdir(parents=True, exist_ok=True)
                (place / _ELSEWHERE).write_text(str(request.output_dir), "utf-8")
        batch = BackgroundBatch(
            request, manager=self._manager, config=self._config, line=self._line, enhance=self._one_way()
        )
        session.memory["batch"] = batch
        return batch

    def _one_way(self) -> Enhance | None:
        enhance = self._enhance
        if enhance is None:
            return None

        def one(source: Path, target: Path, how: EnhanceSettings, control: BatchControl, again: bool) -> EnhanceResult:
            return enhance(source, target, how, control=control, overwrite=again)

        return one

    def retry_failed(self, session: Session) -> BackgroundBatch:
        """Once more over the browser's last batch: what is done stays, what failed is tried again."""
        batch = self.current(session)
        if batch is None:
            raise InvalidSettingsError("There is no batch to try again.")
        return self.begin(session, batch.request.but(retry_failed=True, resume=True))

    def unfinished(self, session: Session) -> BatchRequest | None:
        """A batch of this browser that was killed or cancelled and that nobody runs now; the newest."""
        found = list(unfinished_requests(session.folder))
        for pointer in session.folder.glob(f"{_PLACE}*/{_ELSEWHERE}"):
            output = Path(pointer.read_text("utf-8"))
            found += [one for one in unfinished_requests(output.parent) if one.output_dir == output]
        return next((one for one in found if not is_running(one.output_dir)), None)

    def go_on(self, session: Session) -> BackgroundBatch:
        """Finish an unfinished batch. Raises ``EngineError``."""
        request = self.unfinished(session)
        if request is None:
            raise InvalidSettingsError("There is no unfinished batch.")
        return self.begin(session, request.but(resume=True))

    def forget(self, session: Session) -> None:
        """Offer the unfinished batch no more; its results stay."""
        request = self.unfinished(session)
        if request is not None:
            forget_request(request.output_dir)


def zip_all(batch: BackgroundBatch, session: Session) -> Path:
    """Every finished picture in one ZIP, in the folders of the output; replaces the browser's ZIP before it.

    Raises ``InvalidSettingsError`` while nothing is finished, ``OutputError``.
    """
    paths = list(finished(batch.snapshot()))
    if not paths:
        raise InvalidSettingsError("No picture is finished yet.")
    target = session.folder / "zip" / "enhanced.zip"
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
