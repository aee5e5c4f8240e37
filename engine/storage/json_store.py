"""A small JSON file of remembered facts, safe between threads and processes. Losing it costs time, nothing else."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path

from utils.json_types import JsonObject, JsonValue


class JsonStore:
    """String keys to JSON values in one file; a broken or unwritable file behaves as an empty one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, key: str) -> JsonValue:
        """The value kept under ``key``, or None."""
        return self.all().get(key)

    def all(self) -> JsonObject:
        """Everything that is kept; empty where the file is missing or broken."""
        if self._path is None:
            return {}
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def put(self, key: str, value: object) -> None:
        """Keep a JSON value under ``key``. What cannot be written is forgotten without an error."""
        with self._lock:
            self._write({**self.all(), key: value})

    def drop(self, key: str) -> None:
        """Forget what is kept under ``key``, if anything."""
        with self._lock:
            content = self.all()
            if key in content:
                del content[key]
                self._write(content)

    def _write(self, content: JsonObject) -> None:
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(content, file, indent=1, sort_keys=True)
                os.replace(name, self._path)
            except OSError:
                return
