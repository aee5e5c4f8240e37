"""``info``: this machine, as the engine sees it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def info(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Devices, memory, versions, models, and how fast each network ran here."""
    from config import Config
    from engine.model_manager import ModelManager
    from engine.system_report import system_report

    config = Config()
    report = system_report(ModelManager.from_config(config), config)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1, default=str))
    else:
        print("\n".join(_lines(report)))


def _lines(report: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list):
            lines.append(f"{indent}{key}: {', '.join(map(str, value)) or '-'}")
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines
