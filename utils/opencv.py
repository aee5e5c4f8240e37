"""OpenCV for several threads: ``from utils.opencv import cv2``, never ``import cv2``.

OpenCV takes itself out of the list of modules while it is imported, so another thread that imports it at that moment
gets a half one, without ``cv2.data`` for instance. Python lets only one thread at a time run this module, and others
wait until it has ended.
"""

import sys
import time
from pathlib import Path

import cv2

_IMPORT_SECONDS = 10.0


def finish_importing() -> None:
    """To be called before a process is spawned: importing this module and calling this leave OpenCV wholly imported,
    also where another thread is at it by a way of its own.

    A spawned child gets this process's module path, and during that import it begins with a folder of OpenCV's own,
    whose "typing" hides Python's: such a child dies at once.
    """
    deadline = time.monotonic() + _IMPORT_SECONDS
    while any(Path(entry).name == "cv2" for entry in sys.path) and time.monotonic() < deadline:
        time.sleep(0.005)


__all__ = ["cv2", "finish_importing"]
