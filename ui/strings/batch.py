"""Words of the tab."""

from __future__ import annotations

EN: dict[str, str] = {}

DE: dict[str, str] = {}
