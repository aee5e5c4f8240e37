"""The engine's public API. Names are resolved on first use, so importing this package stays cheap."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "EnhanceSettings": "engine.types",
    "EnhanceResult": "engine.types",
    "JobControl": "engine.types",
    "Progress": "engine.types",
    "Job": "engine.jobs",
    "JobHandle": "engine.jobs",
    "JobState": "engine.jobs",
    "JobStatus": "engine.jobs",
    "Executor": "engine.executors.base",
    "create_executor": "engine.executors",
    "run_many": "engine.executors",
    **dict.fromkeys(
        ("BatchControl", "BatchOptions", "BatchPlan", "BatchResult", "ItemStatus", "plan_batch", "process_batch"),
        "engine.batch",
    ),
    **dict.fromkeys(
        (
            "FramePreview",
            "VideoOptions",
            "VideoProgress",
            "VideoResult",
            "default_video_path",
            "enhance_video",
            "enhance_video_direct",
            "preview_video_frame",
        ),
        "engine.video",
    ),
    "IntelligentEnhancer": "engine.intelligent_enhancer",
    "History": "engine.history",
    "Recorder": "engine.recording",
    "Run": "engine.history",
    "Preset": "engine.presets",
    "SettingsManager": "engine.settings_manager",
    "Face": "engine.face_detector",
    "FaceDetector": "engine.face_detector",
    "FaceRestorer": "engine.face_restorer",
    "FoundFace": "engine.faces.choose",
    "FacePreview": "engine.faces.preview",
    "numbered": "engine.faces.preview",
    "face_needs": "engine.faces.needs",
    "adjust_faces": "engine.faces.adjust",
    "adjustable": "engine.faces.adjust",
    "adjusted_picture": "engine.faces.adjust",
    "ModelManager": "engine.model_manager",
    "ModelSpec": "engine.registry",
    "REGISTRY": "engine.registry",
    "Picture": "utils.picture",
    "default_output_path": "engine.processor",
    "enhance_file": "engine.processor",
    "enhance_image_direct": "engine.processor",
    "apply_fidelity": "engine.processor",
    "enhance_region": "engine.region",
    "readjust_fidelity": "engine.readjust",
    **dict.fromkeys(
        (
            "EngineError",
            "InvalidSettingsError",
            "InvalidImageError",
            "ImageTooLargeError",
            "InvalidVideoError",
            "EmptyVideoError",
            "TruncatedVideoError",
            "NoVideoStreamError",
            "VideoTooLargeError",
            "OutputError",
            "ModelError",
            "ModelNotFoundError",
            "ModelDownloadError",
            "ChecksumMismatchError",
            "UnsupportedModelError",
            "BackendError",
            "OutOfMemoryError",
            "HistoryError",
            "JobCancelled",
            "WorkerLostError",
            "JobSetAsideError",
            "QueueFullError",
            "ServiceStoppedError",
        ),
        "utils.errors",
    ),
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__
