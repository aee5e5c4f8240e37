"""A batch as a value: what was asked for, kept beside its results until they are all there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypedDict, Unpack

from engine.batch.choose import recommended
from engine.batch.control import BatchControl
from engine.batch.journal import is_running, json_bytes
from engine.batch.plan import plan_batch
from engine.batch.planner import BatchPlan
from engine.batch.run import Chooser, Enhance, process_batch
from engine.batch.status import BatchOptions, BatchProgress, BatchResult, ItemState, ItemStatus
from engine.imaging.task import limits_of
from engine.model_manager import ModelManager
from engine.types import EnhanceSettings
from utils.engine_config import EngineConfig
from utils.errors import EngineError, InvalidSettingsError
from utils.files import replaced

REQUEST_NAME = ".realesrgan-batch.json"
_VERSION = 1
logger = logging.getLogger(__name__)


class _UnderWay(TypedDict, total=False):
    """Fields of ``BatchOptions`` that may change while a batch is under way."""

    overwrite: bool
    resume: bool
    retry_failed: bool
    lanes: int
    watch: bool
    watch_interval: float


@dataclass(frozen=True)
class BatchRequest:
    """Everything that ``process_batch`` needs to know to begin, and to go on after a crash.

    Attributes:
        inputs: pictures, folders and ZIP files.
        output_dir: where results, journal and this request go.
        settings: for every picture, or with ``per_picture`` only what each picture's own settings must keep.
        workspace: where pictures of ZIP files are extracted to; None = a temporary folder.
    """

    inputs: tuple[Path, ...]
    output_dir: Path
    settings: EnhanceSettings = field(default_factory=EnhanceSettings.create)
    options: BatchOptions = BatchOptions()
    per_picture: bool = False
    workspace: Path | None = None

    def but(self, **options: Unpack[_UnderWay]) -> BatchRequest:
        """The same batch with other options, e.g. ``retry_failed=True``."""
        return replace(self, options=replace(self.options, **options))

    def plan(self, config: EngineConfig, workspace: Path | str) -> BatchPlan:
        """What the batch would do; raises as ``plan_batch``."""
        return plan_batch(
            self.inputs,
            self.output_dir,
            self.settings,
            config=config,
            workspace=workspace,
            options=self.options,
            per_picture=self.per_picture,
        )

    def run(
        self,
        *,
        manager: ModelManager,
        config: EngineConfig,
        control: BatchControl | None = None,
        on_plan: Callable[[BatchPlan], None] | None = None,
        on_item: Callable[[ItemStatus], None] | None = None,
        on_progress: Callable[[BatchProgress], None] | None = None,
        enhance: Enhance | None = None,
    ) -> BatchResult:
        """``process_batch``, remembered on disk until every picture was dealt with."""
        choose: Chooser | None = None
        if self.per_picture:
            from engine.intelligent_enhancer import IntelligentEnhancer

            choose = recommended(IntelligentEnhancer(manager, limits=limits_of(config, self.settings)), self.settings)

        def planned(plan: BatchPlan) -> None:
            if not is_running(self.output_dir):  # else the other batch's request stays, and ours ends at its journal
                self.save()
            if on_plan is not None:
                on_plan(plan)

        result = process_batch(
            self.inputs,
            self.output_dir,
            self.settings,
            manager=manager,
            config=config,
            choose=choose,
            options=self.options,
            workspace=self.workspace,
            on_plan=planned,
            on_item=on_item,
            on_progress=on_progress,
            control=control,
            enhance=enhance,
        )
        left = any(item.state in (ItemState.QUEUED, ItemState.CANCELLED) for item in result.items)
        if not left:
            forget_request(self.output_dir)
        return result

    def save(self) -> None:
        """Write the request into the output folder. Raises ``OutputError``."""
        content = {
            "version": _VERSION,
            "inputs": [str(path.absolute()) for path in self.inputs],
            "settings": self.settings.model_dump(mode="json", exclude_defaults=True),
            "options": asdict(self.options),
            "per_picture": self.per_picture,
            "workspace": str(self.workspace) if self.workspace else None,
        }
        with replaced(self.output_dir / REQUEST_NAME) as file:
            file.write_bytes(json_bytes(content, indent=1))


def load_request(output_dir: Path) -> BatchRequest:
    """The batch that was begun in a folder and is not finished.

    Raises ``InvalidSettingsError`` when there is none, or when this version cannot read it.
    """
    path = Path(output_dir) / REQUEST_NAME
    try:
        content = json.loads(path.read_bytes())
        return BatchRequest(
            inputs=tuple(Path(one) for one in content["inputs"]),
            output_dir=Path(output_dir).absolute(),
            settings=EnhanceSettings.create(**content["settings"]),
            options=BatchOptions(**content["options"]),
            per_picture=bool(content["per_picture"]),
            workspace=Path(content["workspace"]) if content["workspace"] else None,
        )
    except FileNotFoundError:
        raise InvalidSettingsError(f"No unfinished batch is in '{output_dir}'. Name the pictures to enhance.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidSettingsError(f"'{path}' cannot be used: {error}. Start the batch anew.") from error


def forget_request(output_dir: Path) -> None:
    """Results and journal stay; the batch is only not offered to be gone on with any more."""
    (Path(output_dir) / REQUEST_NAME).unlink(missing_ok=True)


def unfinished_requests(folder: Path) -> Iterator[BatchRequest]:
    """Batches below a folder that were begun and never finished, the newest first; unreadable ones are left out."""
    found = [path for depth in ("*", "*/*") for path in Path(folder).glob(f"{depth}/{REQUEST_NAME}")]
    for path in sorted(found, key=_written, reverse=True):
        try:
            yield load_request(path.parent)
        except EngineError as error:
            logger.info("An unfinished batch is not offered: %s", error)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # forgotten meanwhile
        return 0.0
