"""What is known of model files without opening them again: hashes, architecture facts, why one cannot be used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from engine.models.checkpoints import PassingFault
from engine.models.files import digest_of, stamp_of
from engine.models.info import CheckpointInfo
from engine.storage.json_store import JsonStore
from utils.errors import ModelError
from utils.json_types import JsonObject

Inspector = Callable[[Sequence[Path]], Sequence[CheckpointInfo | str]]
"""Paths -> facts of each, or why it cannot be used (``PassingFault``: for now)."""


class ModelFacts:
    """Hashes and facts of files, kept under what changes when the file does. Thread-safe.

    Args:
        path: JSON file that remembers them; None for this process alone.
        inspect: finds out what network a file holds; asked once a file.
    """

    def __init__(self, path: Path | None, inspect: Inspector) -> None:
        self._inspect = inspect
        self._facts = JsonStore(path)
        self._memory: dict[str, JsonObject] = {}
        self._passing: dict[str, str] = {}
        self._lock = threading.RLock()

    def hash_of(self, path: Path) -> str:
        """SHA-256 of the model's files (``model_files.digest_of``)."""
        known = self._recall(path).get("sha256")
        if isinstance(known, str):
            return known
        digest = digest_of(path)
        self._remember(path, {"sha256": digest})
        return digest

    def hash_anew(self, path: Path) -> str:
        """The same, read from the disk whatever is remembered; a former fault is forgotten."""
        with self._lock:
            self._memory.pop(stamp_of(path), None)
            self._passing.pop(stamp_of(path), None)
            digest = digest_of(path)
            self._remember(path, {"sha256": digest, "fault": None})
            return digest

    def info_of(self, path: Path) -> CheckpointInfo:
        """Architecture facts. Raises ``ModelError`` with the reason why the file cannot be used."""
        self.look_at([path])
        fault = self._fault_of(path)
        if fault is not None:
            raise ModelError(fault)
        return CheckpointInfo.from_json(self._recall(path)["info"])

    def look_at(self, paths: Iterable[Path]) -> None:
        """Find out about those files of which nothing is remembered, all in one go."""
        with self._lock:
            unknown = [path for path in paths if not self._is_known(path)]
            for path, found in zip(unknown, self._inspect(unknown) if unknown else (), strict=True):
                if isinstance(found, PassingFault):
                    self._passing[stamp_of(path)] = found
                elif isinstance(found, str):
                    # Another version may know the architecture.
                    self._remember(path, {"fault": found, "spandrel": _spandrel_version()})
                else:
                    self._remember(path, {"fault": None, "info": found.to_json()})

    def _recall(self, path: Path) -> JsonObject:
        key = stamp_of(path)
        with self._lock:
            if key not in self._memory:
                stored = self._facts.get(key)
                self._memory[key] = stored if isinstance(stored, dict) else {}
            return self._memory[key]

    def _remember(self, path: Path, facts: JsonObject) -> None:
        """Add to what is remembered of a file; None takes a fact away."""
        with self._lock:
            key = stamp_of(path)
            merged = {**self._recall(path), **facts}
            self._memory[key] = {name: value for name, value in merged.items() if value is not None}
            self._facts.put(key, self._memory[key])

    def _fault_of(self, path: Path) -> str | None:
        """Why a file cannot be used; None also where nobody has looked yet."""
        facts = self._recall(path)
        if "fault" in facts and facts.get("spandrel") == _spandrel_version():
            return str(facts["fault"])
        return self._passing.get(stamp_of(path))

    def _is_known(self, path: Path) -> bool:
        if self._fault_of(path) is not None:
            return True
        try:
            return bool(CheckpointInfo.from_json(self._recall(path)["info"]))
        except (KeyError, TypeError):
            return False


def _spandrel_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("spandrel")
    except PackageNotFoundError:
        return ""
