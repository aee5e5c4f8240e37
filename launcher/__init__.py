"""What the installed commands start.

The program's folders (``engine``, ``ui``, ``utils`` ...) are installed below ``realesrgan_ultimate``, so that they take
no names from other packages. Only in the processes that these commands start do they stand at the top.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent


def _prepare() -> None:
    folder = str(PROGRAM)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # Worker processes and Ray's find them the same way.
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != folder]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])


def application() -> int:
    """``realesrgan-ultimate``: the interface, or what the arguments say. Returns the exit code."""
    _prepare()
    from cli.app import main

    return main()


def command_line() -> int:
    """``rsu``: the command line; without arguments its help. Returns the exit code."""
    _prepare()
    from cli.app import main

    return main(sys.argv[1:] or ["--help"])
