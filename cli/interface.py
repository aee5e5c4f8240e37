"""No command: the interface and the REST API on one server, both using the same workers."""

from __future__ import annotations

import os
from typing import Any


def open_interface(config: Any) -> None:
    """Serve until Ctrl-C.

    With ``REALESRGAN_SHARE`` the interface alone is opened, through Gradio's tunnel. Whoever has the link can use it,
    so what is not for strangers is off: the API, naming folders, the log, downloading and deleting models.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from api.app import create_app
    from api.server import run
    from engine.executors import create_executor
    from engine.isolated import inspect_isolated
    from engine.model_manager import ModelManager
    from ui.app import TITLE, launch, mount
    from utils.logger import setup_logging

    config.ensure_directories()
    setup_logging(config.log_dir, config.log_level, as_json=config.log_json)
    manager = ModelManager.from_config(config, inspect=inspect_isolated)
    executor = create_executor(config, manager=manager)
    print(f"{TITLE}: http://{config.server_name}:{config.server_port} (Ctrl-C stops it)", flush=True)
    try:
        if config.share:
            for_strangers = config.model_copy(update={"enable_downloads": False})
            launch(for_strangers, manager, executor.enhance_file, executor)
        else:
            app = create_app(config, executor, close_executor=True)
            run(mount(app, config, manager, executor.enhance_file, executor), config)
    finally:
        executor.close()  # the second time where the API had it
        manager.close()
