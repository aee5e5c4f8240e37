"""What the ready-made programs start: the command line, the window, and worker processes, the same file again."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("PATH", os.defpath)  # libraries look for programs there, and fail where it is not set
    multiprocessing.freeze_support()  # a worker's command line ends here
    from cli.app import main
    from freeze.arguments import arguments

    sys.exit(main(arguments(Path(sys.executable).stem, sys.argv[1:])))
