"""The System Info tab's work."""

from __future__ import annotations

import json
from typing import Any

from engine.system_report import system_report


def model_rows(manager: Any) -> list[list[str]]:
    """One row a known model."""
    rows = []
    for status in manager.list():
        size = "?" if status.size is None else f"{status.size / 1e6:.1f} MB"
        state = status.problem or status.verified
        rows.append([status.name, state, f"x{status.scale}", size, status.licence, status.purpose])
    return rows


def report_text(manager: Any, config: Any) -> str:
    return json.dumps(system_report(manager, config), indent=1, ensure_ascii=False, default=str)


def downloadable(manager: Any) -> list[tuple[str, str]]:
    """(label with size, name) of known upscalers and face models that are not here."""
    return [
        (f"{status.name} ({status.size / 1e6:.0f} MB)" if status.size else f"{status.name} (size unknown)", status.name)
        for status in manager.list()
        if not status.installed and status.kind in ("upscale", "face")
    ]
