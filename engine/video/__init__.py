"""Films: frames read (``reader``), enhanced (``enhancer``), encoded (``encoder``) and joined again (``mux``).

This is the one module to import. Imports jobs, storage, pixels, models, backends, analysis, imaging and batch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.video.choice import choose_video_model
    from engine.video.cut import write_clip, write_cut
    from engine.video.decide import default_video_path, probe_source
    from engine.video.deinterlace import Fields, deinterlacer_for
    from engine.video.direct import enhance_video_direct
    from engine.video.frames_in import frame_at, open_frames
    from engine.video.options import Codec, Deinterlace, Speed, VideoOptions, VideoProgress, VideoResult, seconds_of
    from engine.video.preview import FramePreview, preview_video_frame
    from engine.video.process import enhance_video_isolated
    from engine.video.run import enhance_video
    from engine.video.segments import STALE_SECONDS, input_identity, remove_stale
    from engine.video.sequence import DEFAULT_RATE, Pattern, is_sequence, name_of

_NAMES = {
    "choice": ("choose_video_model",),
    "cut": ("write_clip", "write_cut"),
    "decide": ("default_video_path", "probe_source"),
    "deinterlace": ("Fields", "deinterlacer_for"),
    "direct": ("enhance_video_direct",),
    "frames_in": ("frame_at", "open_frames"),
    "options": ("Codec", "Deinterlace", "Speed", "VideoOptions", "VideoProgress", "VideoResult", "seconds_of"),
    "preview": ("FramePreview", "preview_video_frame"),
    "process": ("enhance_video_isolated",),
    "run": ("enhance_video",),
    "segments": ("STALE_SECONDS", "input_identity", "remove_stale"),
    "sequence": ("DEFAULT_RATE", "Pattern", "is_sequence", "name_of"),
}
_WHERE = {name: f"engine.video.{module}" for module, names in _NAMES.items() for name in names}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'engine.video' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
