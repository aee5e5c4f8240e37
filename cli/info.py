"""``info``: this machine, as the engine sees it."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def info(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    log: Annotated[bool, typer.Option("--log", help="The end of the log too: a bug report to copy.")] = False,
) -> None:
    """Devices, memory, versions, models, and how fast each network ran here."""
    from config import Config
    from engine.machine.report import bug_report, report_lines, system_report
    from engine.model_manager import ModelManager
    from utils.errors import InvalidSettingsError

    if log and as_json:
        raise InvalidSettingsError("--log makes a report to be read, --json one for programs: choose one of them.")
    config = Config()
    manager = ModelManager.from_config(config)
    if log:
        print(bug_report(manager, config))
        return
    report = system_report(manager, config)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1, default=str))
    else:
        print("\n".join(report_lines(report)))
