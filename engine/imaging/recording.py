"""Running with a memory: a run that was done before is taken from the history, and every run is recorded."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path

from engine.faces.missing_models import missing_face_models
from engine.imaging.context import JobContext
from engine.imaging.task import automatic_model, limits_of
from engine.model_manager import ModelManager
from engine.processor import enhance_within, output_format
from engine.storage.history import History, KnownOfRun, Run, run_of_result
from engine.types import RESAMPLERS, EnhanceFile, EnhanceResult, EnhanceSettings, JobControl, Timings
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import EngineError, HistoryError, JobCancelled, OutputError
from utils.files import replaced, sha256_of

logger = logging.getLogger(__name__)

ALGORITHM = 2
"""Raised when the engine's pixels change, so that results of older versions are not offered as equal."""


class Recorder:
    """Runs pictures with the history at hand.

    A history that cannot be used costs a warning in the log, never a picture.

    Args:
        enhance: ``(input_path, output_path, settings, *, control, overwrite) -> EnhanceResult``, for instance an
            executor's ``enhance_file``; by default the engine's own, in this process.
    """

    def __init__(
        self, history: History, manager: ModelManager, config: EngineConfig, enhance: EnhanceFile | None = None
    ) -> None:
        self.history = history
        self._manager, self._context = manager, JobContext(manager, config)
        self._enhance = enhance or self._in_process

    def earlier(self, input_path: Path | str, output_path: Path | str, settings: EnhanceSettings) -> Run | None:
        """The finished run of the same input, settings and model whose result is still there, or None.

        Raises:
            EngineError: the input cannot be read, or the model is not there.
        """
        key, _, _, _ = self._key(Path(input_path), Path(output_path), settings)
        return self._find(key)

    def enhance_file(
        self,
        input_path: Path | str,
        output_path: Path | str,
        settings: EnhanceSettings,
        *,
        control: JobControl | None = None,
        overwrite: bool = False,
        again: bool = False,
    ) -> EnhanceResult:
        """As ``engine.enhance_file``, but a result that is there already is copied instead of computed.

        Args:
            again: compute in any case.
        """
        source, target = Path(input_path), Path(output_path)
        key, input_hash, model, model_hash = self._key(source, target, settings)
        known: KnownOfRun = {
            "input_name": source.name,
            "input_path": str(source.resolve()),
            "input_hash": input_hash,
            "model_hash": model_hash,
            "key": key,
            "settings": settings.model_dump(mode="json", exclude_defaults=True),
        }
        earlier = None if again else self._find(key)
        if earlier is not None:
            return _taken_over(earlier, source, target, overwrite)
        started = time.perf_counter()
        try:
            result = self._enhance(source, target, settings, control=control, overwrite=overwrite)
        except EngineError as error:
            outcome = "cancelled" if isinstance(error, JobCancelled) else "failed"
            seconds = {"total": round(time.perf_counter() - started, 4)}
            self._record(Run(outcome=outcome, model=model, error=str(error), seconds=seconds, **known))
            raise
        self._record(run_of_result(result, **known))
        return result

    def again(self, number: int, output_path: Path | str, *, control: JobControl | None = None) -> EnhanceResult:
        """Run a recorded run anew, with the same settings, into another file.

        Raises:
            HistoryError: no such run. Else as ``engine.enhance_file``.
        """
        run = self.history.get(number)
        return self.enhance_file(run.input_path, output_path, run.enhance_settings(), control=control, again=True)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _in_process(
        self, source: Path, target: Path, settings: EnhanceSettings, *, control: JobControl | None, overwrite: bool
    ) -> EnhanceResult:
        context = replace(self._context, control=control or JobControl(), overwrite=overwrite)
        return enhance_within(context, source, target, settings)

    def _key(self, source: Path, target: Path, settings: EnhanceSettings) -> tuple[str, str, str, str]:
        """The run's key, the input's hash, the model that "auto" means, and its hash."""
        info = image_io.probe(source, limits_of(self._context.config, settings))
        try:
            input_hash = sha256_of(source)
        except OSError as error:
            raise OutputError(f"'{source}' cannot be read: {error.strerror or error}.") from error
        model = settings.model
        if model == "auto":
            model = automatic_model(source, info, settings, self._context).model
        model_hash = "" if model in RESAMPLERS else self._manager.file(model).sha256
        faces = self._face_hash(settings.face_model) if settings.face_enhance else ""
        kind = output_format(settings, info.format, target)
        return run_key(input_hash, settings, model, model_hash + faces, kind), input_hash, model, model_hash

    def _face_hash(self, name: str) -> str:
        """What tells a run with a face model from one without: its weights and whether faces can be located."""
        if missing_face_models(self._manager, name) is not None:
            return "+no faces"
        chosen = name if name != "auto" else self._manager.default_face_model()
        return f"+{self._manager.file(chosen).sha256}" if chosen else "+no faces"

    def _find(self, key: str) -> Run | None:
        try:
            return self.history.find(key)
        except HistoryError as error:
            logger.warning("%s", error)
            return None

    def _record(self, run: Run) -> None:
        try:
            self.history.record(run)
        except HistoryError as error:
            logger.warning("%s", error)


def run_key(input_hash: str, settings: EnhanceSettings, model: str, model_hash: str, kind: str) -> str:
    """SHA-256 of what decides a result: input, settings, the model's weights, the file format, the engine's version.

    Where it runs (device, backend) and how it is cut into tiles do not count: the results agree within rounding.
    """
    values = settings.model_dump(mode="json", exclude={"device", "backend", "tile", "auto_tile", "model", "format"})
    if not settings.face_enhance:
        values = {name: value for name, value in values.items() if name == "face_enhance" or name[:5] != "face_"}
    content = json.dumps([ALGORITHM, input_hash, values, model, model_hash, kind], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _taken_over(run: Run, source: Path, target: Path, overwrite: bool) -> EnhanceResult:
    """The earlier result under the wanted name."""
    started = time.perf_counter()
    earlier = Path(run.output_path)
    if target.resolve() != earlier:
        if target.exists() and (target.samefile(source) or not overwrite):
            raise OutputError(f"'{target}' exists already. Choose another name, or allow overwriting (--force).")
        with replaced(target) as temporary:
            shutil.copyfile(earlier, temporary)
    return EnhanceResult(
        input_path=source,
        output_path=target,
        input_size=(run.input_size[0], run.input_size[1]),
        output_size=(run.output_size[0], run.output_size[1]),
        model=run.model,
        backend=run.backend,
        device=run.device,
        precision=run.precision,
        tile=0,
        scale=round(run.output_size[0] / max(1, run.input_size[0]), 4),
        timings=Timings(total=time.perf_counter() - started),
        metrics=run.metrics,
        warnings=(
            f"The same picture was enhanced with these settings before (run {run.id}); its result was taken.",
            *(run.warnings if "missing_percent" in run.metrics else ()),
        ),
        reused=True,
    )


__all__ = ["Recorder", "run_key"]
