"""A batch whose results take the places of their originals."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath

from engine.batch.control import BatchControl
from engine.batch.journal import Entry, Stamp
from engine.batch.planner import BatchItem, Planner, Source
from engine.batch.spec import BatchSpec
from engine.batch.status import BatchOptions
from engine.storage.in_place_journal import FOLDER, batch_run, read_replacements
from engine.storage.originals import Originals, replaced_path
from engine.types import EnhanceResult, EnhanceSettings
from utils.errors import InvalidSettingsError

Enhance = Callable[[Path, Path, EnhanceSettings, BatchControl, bool], EnhanceResult]
"""(input, output, settings, control, overwrite) to the result."""


def check_in_place(options: BatchOptions) -> None:
    """Raises ``InvalidSettingsError`` for options that cannot go together."""
    if options.backup and not options.in_place:
        raise InvalidSettingsError("A folder for the originals is only used where they are replaced (--in-place).")
    if options.in_place and options.watch:
        raise InvalidSettingsError("A folder that is watched cannot be replaced in place: results would come in again.")


def journal_place(data_dir: Path, inputs: Sequence[Path], settings: EnhanceSettings, options: BatchOptions) -> Path:
    """The output folder of a batch in place that is given none, for its journal: the same for the same batch."""
    named = [*(os.path.abspath(path) for path in inputs), settings.model_dump_json(), options.backup or ""]
    key = hashlib.sha256("\n".join(named).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Path(data_dir).absolute() / FOLDER / key


@contextmanager
def replacing(enhance: Enhance, spec: BatchSpec) -> Iterator[InPlaceEnhance]:
    """Does pictures as ``enhance`` does, and puts the results in their originals' places.

    To be entered before anything is planned: what a killed run left half done is finished first.

    Raises:
        OutputError: the journal cannot be written, or another process has this run.
    """
    backup = Path(spec.options.backup) if spec.options.backup else None
    with Originals(spec.config.data_dir, batch_run(spec.output_dir, spec.key), backup) as originals:
        yield InPlaceEnhance(enhance, originals)


class InPlacePlanner(Planner):
    """Outputs are the inputs' own names; what this batch has replaced already is done, and no input any more."""

    def __init__(self, spec: BatchSpec) -> None:
        super().__init__(spec)
        self.backup = Path(spec.options.backup).absolute() if spec.options.backup else None
        journal = Path(spec.config.data_dir) / FOLDER / f"{batch_run(spec.output_dir, spec.key)}.jsonl"
        placed = [one for one in read_replacements(journal) if one.state == "placed"] if spec.options.resume else []
        self._replaced = {one.target: one.result for one in placed if one.result and one.target == one.source}
        self._renamed = {one.target: one.result for one in placed if one.result and one.target != one.source}

    def items(self, sources: Sequence[Source]) -> list[BatchItem]:
        """As ``Planner.items``. Raises ``InvalidSettingsError`` for pictures in a ZIP file."""
        zipped = next((source for source in sources if source.identity != str(source.path)), None)
        if zipped is not None:
            archive = zipped.identity.partition("!/")[0]
            raise InvalidSettingsError(f"Pictures in '{archive}' cannot be replaced in place. Extract them first.")
        sources = [one for one in sources if self.backup is None or not one.path.is_relative_to(self.backup)]
        return super().items(sources)

    def _is_result(self, source: Source) -> bool:
        """Results under another name than their originals; those under the same are items that are done."""
        facts = self._renamed.get(source.path)
        return facts is not None and facts.fit(source.path)

    def _earlier(self, source: Source) -> Entry | None:
        facts = self._replaced.get(source.path)
        known = self._entries.get((source.identity, self._spec.key))
        if facts is not None and facts.fit(source.path):
            values = known.values if known is not None and known.event == "done" else {}
            stamp = Stamp(facts.size, facts.mtime_ns, facts.sha256)
            return Entry("done", source.path, stamp, {**values, "bytes": facts.size})
        failed = known is not None and known.event == "failed" and known.stamp.still_fits(source.path)
        return known if failed else None

    def _new_target(self, source: Source) -> Path:
        target = replaced_path(source.path, self._settings)
        if target == source.path:
            return target
        name = source.relative.as_posix()
        free, collision = self._names.give(target, source.identity, name)
        if collision is not None:
            self.collisions.append(collision)
        return free


class InPlaceEnhance:
    """Does one picture of a batch as ``enhance`` does, and puts the result in the original's place."""

    def __init__(self, enhance: Enhance, originals: Originals) -> None:
        self._enhance, self._originals = enhance, originals
        self.relative: dict[Path, PurePath] = {}
        """Originals -> their paths below the folder that they are kept in."""

    def __call__(
        self, source: Path, target: Path, how: EnhanceSettings, one: BatchControl, again: bool
    ) -> EnhanceResult:
        """The result, in its place."""
        return self._originals.replace(
            source,
            target,
            lambda staged: self._enhance(source, staged, how, one, again),
            self.relative.get(source),
        )
