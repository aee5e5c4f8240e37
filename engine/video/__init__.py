"""Video: frames read, enhanced and encoded at the same time; everything else in the file is carried over.

``reader`` gives frames with exact time stamps, ``enhancer`` puts them through the network, ``encoder`` writes segments,
``segments`` keeps them safe from crashes, ``mux`` joins them with the input's sound, subtitles and chapters, ``run``
is the job.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "VideoOptions": "engine.video.options",
    "VideoProgress": "engine.video.options",
    "VideoResult": "engine.video.options",
    "FramePreview": "engine.video.preview",
    "default_video_path": "engine.video.decide",
    "enhance_video": "engine.video.run",
    "enhance_video_isolated": "engine.video.process",
    "enhance_video_direct": "engine.video.direct",
    "preview_video_frame": "engine.video.preview",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'engine.video' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
