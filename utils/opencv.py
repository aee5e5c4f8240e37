"""OpenCV for several threads: ``from utils.opencv import cv2``, never ``import cv2``.

OpenCV takes itself out of the list of modules while it is imported, so another thread that imports it at that moment
gets a half one, without ``cv2.data`` for instance. Python lets only one thread at a time run this module, and others
wait until it has ended.
"""

import cv2

__all__ = ["cv2"]
