"""What a batch will do: which pictures, under which names, and how much disk it takes. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.batch.in_place import InPlacePlanner, check_in_place
from engine.batch.planner import BatchPlan, Planner
from engine.batch.spec import BatchSpec
from engine.batch.status import BatchOptions
from engine.types import EnhanceSettings
from utils.engine_config import EngineConfig


def plan_batch(
    inputs: Sequence[Path | str],
    output_dir: Path | str,
    settings: EnhanceSettings,
    *,
    config: EngineConfig,
    workspace: Path | str,
    options: BatchOptions | None = None,
    per_picture: bool = False,
) -> BatchPlan:
    """Find the pictures, name the outputs, estimate the disk space. Reads headers only.

    Args:
        inputs: pictures, folders and ZIP files, mixed.
        workspace: folder for what is extracted from ZIP files.
        config: limits, as for ``enhance_file``.
        per_picture: whether ``settings`` are only the start of what is decided for each picture.

    Raises:
        InvalidImageError: no picture was found, or a ZIP is refused.
        InvalidSettingsError: the name template is wrong, or names collide and ``options.collisions`` is "refuse".
    """
    spec = BatchSpec(Path(output_dir).absolute(), settings, options or BatchOptions(), config, per_picture)
    return planner_for(spec).plan(inputs, Path(workspace))


def planner_for(spec: BatchSpec) -> Planner:
    """The planner that the options ask for. Raises ``InvalidSettingsError``."""
    check_in_place(spec.options)
    return InPlacePlanner(spec) if spec.options.in_place else Planner(spec)
