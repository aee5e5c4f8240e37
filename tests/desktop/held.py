"""``main.py`` whose import of Gradio stands before a gate: what happens while the program starts can be looked at.

``python tests/desktop/held.py`` is told the gate's folder by an environment variable. The import waits until the folder
holds "open", or fails where it holds "broken"; a file "waits" tells that it has come so far.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).resolve()
FOLDER = "TEST_HELD_IMPORTS"
REASON = "this Gradio is broken"
_LOOK_SECONDS = 0.02
_GIVE_UP_SECONDS = 180.0


@dataclass(frozen=True)
class Imports:
    """The test's side; held at first."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the program has to find in its environment."""
        return {FOLDER: str(self.folder)}

    @property
    def wait(self) -> bool:
        """Whether the program has come to the gate."""
        return (self.folder / "waits").exists()

    def let(self) -> None:
        """Let them go on."""
        (self.folder / "open").touch()

    def break_them(self) -> None:
        """Let them fail."""
        (self.folder / "broken").touch()


class Held(PathFinder):
    """The program's side: Gradio is found as ever, and run later. Other threads can import meanwhile."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where Gradio is; nothing of other modules."""
        spec = super().find_spec(fullname, path, target) if fullname == "gradio" else None
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_later(module: ModuleType) -> None:
                _wait(Path(os.environ[FOLDER]))
                run(module)

            spec.loader.exec_module = run_later  # type: ignore[method-assign]
        return spec


def _wait(folder: Path) -> None:
    (folder / "waits").touch()
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while not (folder / "open").exists():
        if (folder / "broken").exists():
            raise ImportError(REASON)
        assert time.monotonic() < deadline, "nobody opened the gate"
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    sys.meta_path.insert(0, Held)
    from cli.app import main

    raise SystemExit(main())
