"""The engine's public API. Names are resolved on first use, so importing this package stays cheap."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.batch import BatchControl, BatchOptions, BatchPlan, BatchResult, ItemStatus, plan_batch, process_batch
    from engine.executors import Executor, create_executor, run_many
    from engine.face_restorer import FaceRestorer
    from engine.faces.adjust import adjust_faces, adjustable, adjusted_picture
    from engine.faces.choose import FoundFace
    from engine.faces.detector import FaceDetector
    from engine.faces.face import Face
    from engine.faces.missing_models import face_needs
    from engine.faces.preview import FacePreview, numbered
    from engine.imaging.readjust import readjust_fidelity
    from engine.imaging.recording import Recorder
    from engine.imaging.region import enhance_region
    from engine.intelligent_enhancer import IntelligentEnhancer
    from engine.jobs.job import Job, JobHandle, JobState, JobStatus
    from engine.model_manager import ModelManager
    from engine.models.registry import REGISTRY, ModelSpec
    from engine.processor import apply_fidelity, default_output_path, enhance_file, enhance_image_direct
    from engine.settings_manager import SettingsManager
    from engine.storage.history import History, Run
    from engine.storage.originals import Originals, replaced_path
    from engine.storage.presets import Preset
    from engine.storage.undo import InPlaceRun, UndoReport, undo, undoable
    from engine.types import EnhanceResult, EnhanceSettings, JobControl, Progress
    from engine.video import (
        FramePreview,
        VideoOptions,
        VideoProgress,
        VideoResult,
        default_video_path,
        enhance_video,
        enhance_video_direct,
        preview_video_frame,
    )
    from utils.errors import (
        BackendError,
        ChecksumMismatchError,
        DamagedImageError,
        EmptyVideoError,
        EngineError,
        HistoryError,
        ImageTooLargeError,
        InvalidImageError,
        InvalidSettingsError,
        InvalidVideoError,
        JobCancelled,
        JobSetAsideError,
        ModelDownloadError,
        ModelError,
        ModelNotFoundError,
        NoVideoStreamError,
        OutOfMemoryError,
        OutputError,
        QueueFullError,
        ServiceStoppedError,
        TruncatedVideoError,
        UnsupportedModelError,
        VideoTooLargeError,
        WorkerLostError,
    )
    from utils.picture import Picture

_NAMES = {
    "engine.types": ("EnhanceSettings", "EnhanceResult", "JobControl", "Progress"),
    "engine.jobs.job": ("Job", "JobHandle", "JobState", "JobStatus"),
    "engine.executors": ("Executor", "create_executor", "run_many"),
    "engine.batch": (
        *("BatchControl", "BatchOptions", "BatchPlan", "BatchResult", "ItemStatus", "plan_batch", "process_batch"),
    ),
    "engine.video": (
        *("FramePreview", "VideoOptions", "VideoProgress", "VideoResult", "default_video_path", "enhance_video"),
        *("enhance_video_direct", "preview_video_frame"),
    ),
    "engine.intelligent_enhancer": ("IntelligentEnhancer",),
    "engine.storage.history": ("History", "Run"),
    "engine.imaging.recording": ("Recorder",),
    "engine.storage.presets": ("Preset",),
    "engine.storage.originals": ("Originals", "replaced_path"),
    "engine.storage.undo": ("InPlaceRun", "UndoReport", "undo", "undoable"),
    "engine.settings_manager": ("SettingsManager",),
    "engine.faces.detector": ("FaceDetector",),
    "engine.faces.face": ("Face",),
    "engine.face_restorer": ("FaceRestorer",),
    "engine.faces.choose": ("FoundFace",),
    "engine.faces.preview": ("FacePreview", "numbered"),
    "engine.faces.missing_models": ("face_needs",),
    "engine.faces.adjust": ("adjust_faces", "adjustable", "adjusted_picture"),
    "engine.model_manager": ("ModelManager",),
    "engine.models.registry": ("ModelSpec", "REGISTRY"),
    "utils.picture": ("Picture",),
    "engine.processor": ("default_output_path", "enhance_file", "enhance_image_direct", "apply_fidelity"),
    "engine.imaging.region": ("enhance_region",),
    "engine.imaging.readjust": ("readjust_fidelity",),
    "utils.errors": (
        *("EngineError", "InvalidSettingsError", "InvalidImageError", "DamagedImageError", "ImageTooLargeError"),
        *("InvalidVideoError", "EmptyVideoError", "TruncatedVideoError", "NoVideoStreamError", "VideoTooLargeError"),
        *("OutputError", "ModelError", "ModelNotFoundError", "ModelDownloadError", "ChecksumMismatchError"),
        *("UnsupportedModelError", "BackendError", "OutOfMemoryError", "HistoryError", "JobCancelled"),
        *("WorkerLostError", "JobSetAsideError", "QueueFullError", "ServiceStoppedError"),
    ),
}
"""Where each name is."""
_WHERE = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
