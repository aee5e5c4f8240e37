"""No command: the interface and the REST API on one server, in a window or for browsers, and files opened in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from utils.errors import InvalidImageError


def open_interface(config: Any, paths: Sequence[Path] = (), *, window: bool = False) -> None:
    """Serve until Ctrl-C, or until the window is closed; where the program runs already, hand it the files.

    With ``REALESRGAN_SHARE`` the interface alone is opened, through Gradio's tunnel. Whoever has the link can use it,
    so what is not for strangers is off: the API, naming folders, the log, downloading and deleting models.
    """
    from utils.logger import setup_logging

    config.ensure_directories()
    setup_logging(config.log_dir, config.log_level, as_json=config.log_json)
    if config.share and not paths and not window:
        _share(config)
        return
    from desktop.opening import open_application

    open_application(config, paths, window=window)


def _share(config: Any) -> None:
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from engine.executors import create_executor
    from engine.model_manager import ModelManager
    from engine.models.isolated import inspect_isolated
    from ui.app import TITLE, launch

    manager = ModelManager.from_config(config, inspect=inspect_isolated)
    executor = create_executor(config, manager=manager)
    print(f"{TITLE}: http://{config.server_name}:{config.server_port} (Ctrl-C stops it)", flush=True)
    try:
        for_strangers = config.model_copy(update={"enable_downloads": False})
        launch(for_strangers, manager, executor.enhance_file, executor)
    finally:
        executor.close()
        manager.close()


def as_path(argument: str) -> Path:
    """A file as it stands on the command line, by its path or as file managers write it (``file://``); absolute."""
    if argument.lower().startswith("file:"):
        parts = urlsplit(argument)
        local = parts.netloc.lower() in ("", "localhost")
        argument = url2pathname(parts.path) if local else unquote(argument)
    return Path(os.path.abspath(argument))


def existing(arguments: Sequence[str]) -> list[Path]:
    """Paths of files and folders. Raises ``InvalidImageError`` for what is not there."""
    paths = [as_path(argument) for argument in arguments]
    for argument, path in zip(arguments, paths, strict=True):
        if not os.path.lexists(path):
            raise InvalidImageError(f"'{argument}' is not there: neither a file, nor a folder, nor a command (--help).")
    return paths


__all__ = ["as_path", "existing", "open_interface"]
