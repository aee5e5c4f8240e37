"""What the one-call functions for scripts share: loose keyword arguments become settings, a manager and a config."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.model_manager import ModelManager
from engine.types import EnhanceSettings
from utils.engine_config import EngineConfig


@contextmanager
def direct_call(
    model_manager: ModelManager | None,
    config: EngineConfig | None,
    gpu_id: int | None,
    fp32: bool,
    settings: dict[str, object],
) -> Iterator[tuple[EnhanceSettings, ModelManager, EngineConfig]]:
    """The validated settings, the manager and the config for one call.

    Args:
        model_manager: a shared one; None makes one that is closed at the end.
        config: a ``Config``, the class itself, or None for one from the environment.
        gpu_id: which GPU, where the settings leave the device open; ignored on a machine without one.
        fp32: overrules ``settings["precision"]``.
        settings: fields of ``EnhanceSettings``.

    Raises:
        InvalidSettingsError: a setting is unknown or out of its range.
    """
    if config is None or isinstance(config, type):
        from config import Config

        config = (config or Config)()
    chosen = EnhanceSettings.create(**(settings | {"precision": "fp32"} if fp32 else settings))
    manager = model_manager if model_manager is not None else ModelManager.from_config(config)
    try:
        if gpu_id is not None and chosen.device == "auto":
            chosen = chosen.but(device=manager.resolve_device("auto", gpu_id))
        yield chosen, manager, config
    finally:
        if model_manager is None:
            manager.close()
