"""The models as files: which are here, whether they are what they should be, how to bring and remove them."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.checkpoints import SUFFIXES, CheckpointInfo, PassingFault, inspect_checkpoints
from engine.downloader import download, set_aside, sha256_of
from engine.json_store import JsonStore
from engine.registry import ModelSpec
from engine.types import RESAMPLERS, JobControl
from utils.errors import ChecksumMismatchError, ModelError, ModelNotFoundError

Source = Literal["registry", "user", "embedded"]
Verified = Literal["verified", "pinned", "unverified", "missing"]


@dataclass(frozen=True)
class ModelFile:
    """A checkpoint that is here and was checked. ``verified``: hash known / pinned at first use / user's own file."""

    name: str
    path: Path
    sha256: str
    spec: ModelSpec | None
    source: Source
    verified: Verified


@dataclass(frozen=True)
class ModelStatus:
    """One line of the model list. ``problem`` says why an installed file cannot be used."""

    name: str
    installed: bool
    kind: str
    architecture: str
    scale: int
    purpose: str
    size: int | None
    licence: str
    verified: Verified
    path: Path | None = None
    problem: str | None = None
    parameters: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {**asdict(self), "path": str(self.path) if self.path else None}


Inspector = Callable[[Sequence[Path]], Sequence[CheckpointInfo | str]]
"""Paths -> facts of each, or why it cannot be used (``PassingFault``: for now)."""

Statuses = list[ModelStatus]
Names = list[str]
"""Named, because inside the class ``list`` is a method."""


class ModelStore:
    """Finds and checks checkpoint files. Thread-safe.

    Args:
        specs: the known models.
        weights_dir: downloads and the user's own files.
        bundled_dir: what ships with the program; searched after ``weights_dir``.
        cache_dir: remembers hashes and facts of files, so that listing needs neither hashing nor torch.
        inspect: finds out what network a file holds; asked once a file.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        weights_dir: Path,
        bundled_dir: Path | None,
        cache_dir: Path | None,
        verify_checksums: bool = True,
        inspect: Inspector = inspect_checkpoints,
    ) -> None:
        self._specs = specs
        self._inspect = inspect
        self.weights_dir = Path(weights_dir)
        self._folders = [self.weights_dir]
        if bundled_dir is not None and bundled_dir.resolve() != self.weights_dir.resolve():
            self._folders.append(bundled_dir)
        self._verify_checksums = verify_checksums
        self._facts = JsonStore(cache_dir / "checkpoints.json" if cache_dir else None)
        self._memory: dict[str, dict[str, Any]] = {}
        self._passing: dict[str, str] = {}
        self._pins = JsonStore(self.weights_dir / ".pins.json")
        self._lock = threading.RLock()

    # -- listing -----------------------------------------------------------------------------------------------------

    def list(self) -> Statuses:
        """Known models in the registry's order, then the user's own by name."""
        statuses = [self._known_status(spec) for spec in self._specs.values()]
        own = list(self._own_files())
        self._look_at(own)
        return [*statuses, *(self._own_status(path) for path in own)]

    def present(self) -> Names:
        """Names of the models whose files are here, whatever they hold: reads the folders, opens nothing."""
        known = [name for name, spec in self._specs.items() if self._path_of(spec) is not None]
        return [*known, *(path.stem for path in self._own_files())]

    def installed(self, kind: str | None = None) -> Statuses:
        """Usable models that are here."""
        return [
            status
            for status in self.list()
            if status.installed and status.problem is None and (kind is None or status.kind == kind)
        ]

    def _known_status(self, spec: ModelSpec) -> ModelStatus:
        path = self._path_of(spec)
        verified: Verified = "missing"
        if path is not None:
            verified = "verified" if spec.sha256 else "pinned" if self._pins.get(spec.filename) else "unverified"
            if spec.size is not None and path.stat().st_size != spec.size:
                verified = "unverified"
        problem = None
        if path is not None and spec.size is not None and path.stat().st_size != spec.size:
            problem = f"the file has {path.stat().st_size} bytes instead of {spec.size}"
        return ModelStatus(
            spec.name,
            path is not None,
            spec.kind,
            spec.architecture,
            spec.scale,
            spec.purpose,
            path.stat().st_size if path is not None else spec.size,
            spec.licence,
            verified,
            path,
            problem,
        )

    def _own_files(self) -> Iterator[Path]:
        """Checkpoints that belong to no known model, each file stem once."""
        taken = {spec.filename for spec in self._specs.values()}
        seen = set(self._specs) | set(RESAMPLERS)
        for folder in self._folders:
            if not folder.is_dir():
                continue
            for path in sorted(folder.iterdir()):
                wanted = path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
                if wanted and path.name not in taken and path.stem not in seen and path.is_file():
                    seen.add(path.stem)
                    yield path

    def _own_status(self, path: Path) -> ModelStatus:
        size = path.stat().st_size
        purpose = "Your own file." if path.parent == self.weights_dir else "Ships with the program."
        try:
            info = self._info_of(path)
        except ModelError as error:
            return ModelStatus(
                path.stem, True, "other", "unknown", 1, purpose, size, "unknown", "unverified", path, str(error)
            )
        return ModelStatus(
            path.stem,
            True,
            info.kind,
            info.architecture,
            info.scale,
            purpose,
            size,
            "unknown",
            "unverified",
            path,
            parameters=info.parameters,
        )

    # -- finding -----------------------------------------------------------------------------------------------------

    def _path_of(self, spec: ModelSpec) -> Path | None:
        return next((folder / spec.filename for folder in self._folders if (folder / spec.filename).is_file()), None)

    def _locate(self, name: str) -> tuple[Path, ModelSpec | None]:
        spec = self._specs.get(name)
        if spec is not None:
            path = self._path_of(spec)
            if path is not None:
                return path, spec
            how = f"`python main.py models download {name}` brings it" if spec.urls else "it cannot be downloaded"
            size = f" ({spec.size / 1e6:.0f} MB)" if spec.size else ""
            raise ModelNotFoundError(
                f"The model '{name}' is known but not installed; {how}{size}, or save it as "
                f"'{self.weights_dir / spec.filename}'."
            )
        # Names are compared with what is in the folders, never joined to a path: no name leads out of them.
        for path in self._own_files():
            if path.stem == name:
                return path, None
        raise ModelNotFoundError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        here = [status.name for status in self.installed("upscale")]
        everything = [*self._specs, *here, *RESAMPLERS]
        close = difflib.get_close_matches(name, everything, n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(dict.fromkeys(close))}?" if close else ""
        listing = ", ".join([*here, *RESAMPLERS])
        return f"There is no model '{name}'.{hint} Installed: {listing}. `python main.py models list` shows all."

    def find(self, name: str) -> ModelFile:
        """The checked file of a model.

        Raises:
            ModelNotFoundError: unknown, or known and not here.
            ChecksumMismatchError: the file is not what it should be; it was set aside.
        """
        path, spec = self._locate(name)
        with self._lock:
            digest = self._hash_of(path)
            verified = self._check(path, digest, spec)
        source: Source = "user" if spec is None else "embedded" if spec.embedded else "registry"
        return ModelFile(name, path, digest, spec, source, verified)

    def _check(self, path: Path, digest: str, spec: ModelSpec | None) -> Verified:
        if spec is None or not self._verify_checksums:
            return "unverified"
        expected = spec.sha256 or self._pins.get(spec.filename)
        if expected is None:
            self._pins.put(spec.filename, digest)
            return "pinned"
        if digest == expected:
            return "verified" if spec.sha256 else "pinned"
        try:
            where = f"It was moved to '{set_aside(path)}'"
        except OSError:
            where = "It was not loaded"
        known = "the published one" if spec.sha256 else "the one seen at its first use"
        raise ChecksumMismatchError(
            f"'{path}' is not the file it should be: its SHA-256 is {digest}, {known} is {expected}. {where}. "
            f"`python main.py models download {spec.name}` brings the right one."
        )

    def verify(self, name: str) -> ModelStatus:
        """Hash the file anew (whatever is remembered), check it, and return its line of the list."""
        path, _ = self._locate(name)
        with self._lock:
            self._memory.pop(self._key(path), None)
            self._passing.pop(self._key(path), None)
            digest = sha256_of(path)
            self._remember(path, {"sha256": digest, "fault": None})
        self.find(name)
        return next(status for status in self.list() if status.name == name)

    def info(self, name: str) -> CheckpointInfo:
        """Architecture facts; the file is checked before it is opened."""
        return self._info_of(self.find(name).path)

    # -- facts about files, remembered -------------------------------------------------------------------------------

    @staticmethod
    def _key(path: Path) -> str:
        facts = path.stat()
        return f"{path.resolve()}|{facts.st_size}|{facts.st_mtime_ns}|{facts.st_ctime_ns}|{facts.st_ino}"

    def _recall(self, path: Path) -> dict[str, Any]:
        key = self._key(path)
        with self._lock:
            if key not in self._memory:
                stored = self._facts.get(key)
                self._memory[key] = stored if isinstance(stored, dict) else {}
            return self._memory[key]

    def _remember(self, path: Path, facts: dict[str, Any]) -> None:
        """Add to what is remembered of a file; None takes a fact away."""
        with self._lock:
            key = self._key(path)
            merged = {**self._recall(path), **facts}
            self._memory[key] = {name: value for name, value in merged.items() if value is not None}
            self._facts.put(key, self._memory[key])

    def _hash_of(self, path: Path) -> str:
        known = self._recall(path).get("sha256")
        if isinstance(known, str):
            return known
        digest = sha256_of(path)
        self._remember(path, {"sha256": digest})
        return digest

    def _info_of(self, path: Path) -> CheckpointInfo:
        self._look_at([path])
        fault = self._fault_of(path)
        if fault is not None:
            raise ModelError(fault)
        return CheckpointInfo.from_json(self._recall(path)["info"])

    def _fault_of(self, path: Path) -> str | None:
        """Why a file cannot be used; None also where nobody has looked yet."""
        facts = self._recall(path)
        if "fault" in facts and facts.get("spandrel") == _spandrel_version():
            return str(facts["fault"])
        return self._passing.get(self._key(path))

    def _look_at(self, paths: Iterable[Path]) -> None:
        """Find out about those files of which nothing is remembered, all in one go."""
        with self._lock:
            unknown = [path for path in paths if not self._is_known(path)]
            for path, found in zip(unknown, self._inspect(unknown) if unknown else (), strict=True):
                if isinstance(found, PassingFault):
                    self._passing[self._key(path)] = found
                elif isinstance(found, str):
                    # Another version may know the architecture.
                    self._remember(path, {"fault": found, "spandrel": _spandrel_version()})
                else:
                    self._remember(path, {"fault": None, "info": found.to_json()})

    def _is_known(self, path: Path) -> bool:
        if self._fault_of(path) is not None:
            return True
        try:
            return bool(CheckpointInfo.from_json(self._recall(path)["info"]))
        except (KeyError, TypeError):
            return False

    # -- changing ----------------------------------------------------------------------------------------------------

    def download(
        self,
        name: str,
        progress: Callable[[int, int | None], None] | None = None,
        control: JobControl | None = None,
    ) -> ModelFile:
        """Bring a known model into the weights folder. See ``engine.downloader.download`` for the errors."""
        spec = self._specs.get(name)
        if spec is None:
            raise ModelNotFoundError(self._unknown(name))
        if self._path_of(spec) is None:
            if not spec.urls:
                raise ModelNotFoundError(
                    f"No address is known for '{name}'; save it as {self.weights_dir}/{spec.filename}."
                )
            download(spec.urls, self.weights_dir / spec.filename, spec.sha256, spec.size, progress, control)
            self._pins.drop(spec.filename)  # of an earlier file, perhaps a damaged one
        return self.find(name)

    def delete(self, name: str) -> None:
        """Remove a model's file from the weights folder; what ships with the program stays."""
        path, spec = self._locate(name)
        # Where the weights folder is the program's own, the two lie side by side.
        if path.parent != self.weights_dir or (spec is not None and spec.embedded):
            raise ModelNotFoundError(f"'{name}' ships with the program and is not deleted.")
        try:
            path.unlink()
        except OSError as error:
            raise ModelError(f"'{path}' cannot be deleted: {error.strerror or error}.") from error
        self._pins.drop(path.name)


def _spandrel_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("spandrel")
    except PackageNotFoundError:
        return ""
