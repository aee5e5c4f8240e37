"""Networks that are loaded: each once, shared by whoever asks, unloaded when the policy says so. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from engine.backends.base import Session
from engine.models.info import CheckpointInfo
from utils.json_types import JsonObject

UnloadPolicy = Literal["keep", "after-picture"] | int
"""Keep loaded models, drop them after each picture, or after so many idle seconds."""


@dataclass(frozen=True)
class LoadedModel:
    """A network that is ready to run; ``note``: why not as it was asked for, in a sentence."""

    name: str
    key: str
    info: CheckpointInfo
    session: Session = field(repr=False)
    load_seconds: float = 0.0
    note: str = ""

    @property
    def tile_key(self) -> str:
        """What a tile that memory sufficed for is remembered by."""
        return f"{self.session.device} | {self.name} | {self.session.backend} | {self.session.precision}"

    @property
    def weights_mb(self) -> float:
        """The network's numbers alone, in MiB; what its runtime needs to work comes on top."""
        return self.info.parameters * {"fp32": 4, "int8": 1}.get(self.session.precision, 2) / 2**20


@dataclass
class _Slot:
    """A place in the cache; its lock makes the second asker wait for the first instead of loading again."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    model: LoadedModel | None = None
    users: int = 0
    last_used: float = 0.0


SlotKey = tuple[str, str, str, str, float | None]
"""Name, device, backend, precision, denoise strength: what was asked for."""


class LoadedModels:
    """The cache of sessions; different models load in parallel, one loads once."""

    def __init__(self, policy: UnloadPolicy) -> None:
        self._policy = policy
        self._slots: dict[SlotKey, _Slot] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reaper: threading.Thread | None = None

    def get(self, key: SlotKey, load: Callable[[], LoadedModel]) -> LoadedModel:
        """The model kept under ``key``, else what ``load`` returns; a second asker waits for the first."""
        while True:
            with self._lock:
                slot = self._slots.setdefault(key, _Slot())
            with slot.lock:
                with self._lock:
                    gone = self._slots.get(key) is not slot
                if gone:  # unloaded between finding and locking: its session is closed
                    continue
                if slot.model is None:
                    slot.model = load()
                    self._start_reaper()
                slot.last_used = time.monotonic()
                return slot.model

    @contextmanager
    def borrowed(self, get: Callable[[], LoadedModel]) -> Iterator[LoadedModel]:
        """A model that nothing unloads for the length of a ``with`` block; afterwards the unload policy applies."""
        slot = None
        while slot is None:  # whoever unloads between loading and claiming makes us load again
            model = get()
            slot = self._claim(model)
        try:
            yield model
        finally:
            with self._lock:
                slot.users -= 1
                slot.last_used = time.monotonic()
            if self._policy == "after-picture":
                self.unload(lambda key, kept: kept is model)

    def _claim(self, model: LoadedModel) -> _Slot | None:
        """Count one more user of a loaded model, so that nothing unloads it; None when it is already gone."""
        with self._lock:
            for slot in self._slots.values():
                if slot.model is model:
                    slot.users += 1
                    return slot
        return None

    def unload(self, matches: Callable[[SlotKey, LoadedModel], bool]) -> int:
        """Drop the loaded models for which ``matches(key, model)`` and that nobody uses; returns how many."""
        return self._drop(lambda key, slot: slot.model is not None and matches(key, slot.model))

    def _drop(self, matches: Callable[[SlotKey, _Slot], bool]) -> int:
        dropped = []
        with self._lock:
            for key, slot in list(self._slots.items()):
                if slot.model is not None and slot.users == 0 and matches(key, slot) and slot.lock.acquire(False):
                    dropped.append(slot.model)
                    del self._slots[key]
                    slot.lock.release()
        for model in dropped:
            model.session.close()
        if dropped:
            _return_memory()
        return len(dropped)

    def status(self) -> JsonObject:
        """Loaded models: name -> device, backend, precision, MiB of weights, load seconds, idle seconds, in use."""
        with self._lock:
            slots = [slot for slot in self._slots.values() if slot.model is not None]
        now = time.monotonic()
        return {
            f"{slot.model.name} ({slot.model.session.backend}, {slot.model.session.precision})": {
                "device": slot.model.session.device,
                "backend": slot.model.session.backend,
                "precision": slot.model.session.precision,
                "weights_mb": round(slot.model.weights_mb, 1),
                "load_seconds": round(slot.model.load_seconds, 3),
                "idle_seconds": round(now - slot.last_used, 1),
                "in_use": slot.users,
            }
            for slot in slots
            if slot.model is not None
        }

    def _start_reaper(self) -> None:
        """A thread that unloads idle models; only where the policy is a number of seconds."""
        if not isinstance(self._policy, int):
            return
        with self._lock:
            if self._reaper is None and not self._closed.is_set():
                self._reaper = threading.Thread(target=self._reap, name="model-unloader", daemon=True)
                self._reaper.start()

    def _reap(self) -> None:
        assert isinstance(self._policy, int)
        while not self._closed.wait(min(1.0, max(0.05, self._policy / 4))):
            limit = time.monotonic() - self._policy
            self._drop(lambda key, slot, limit=limit: slot.last_used < limit)  # type: ignore[misc]

    def close(self) -> None:
        """Unload everything that is not in use and stop the background thread."""
        self._closed.set()
        self.unload(lambda key, model: True)


def _return_memory() -> None:
    """Hand freed memory back to the system, not only to the allocator."""
    import ctypes
    import gc
    import sys

    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            return
