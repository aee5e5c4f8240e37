"""Runtimes that run a batch of tiles, a file each; all give a ``Session`` (``base``). A new one is named in ``KNOWN``.

The door is ``engine.model_manager``. Imports storage, pixels and models.
"""

from __future__ import annotations

from importlib import import_module

from engine.backends.base import Backend
from utils.errors import BackendError

KNOWN = {
    "openvino": "engine.backends.openvino_backend:OpenVinoBackend",
    "ncnn": "engine.backends.ncnn_backend:NcnnBackend",
    "torch": "engine.backends.torch_backend:TorchBackend",
    "original": "engine.backends.original:OriginalBackend",
}
"""Name -> where the class is."""
AUTOMATIC = ("openvino", "torch")
"""Those that "auto" chooses from without being asked for, in order of preference where several serve a device."""


def automatic_for(device: str) -> tuple[str, ...]:
    """The backends that "auto" chooses from on a device, in order of preference: Vulkan's are ncnn's alone."""
    return ("ncnn",) if device.startswith("vulkan") else AUTOMATIC


def get_backend(name: str) -> Backend:
    """The backend of that name. Raises ``BackendError`` when it is unknown."""
    if name not in KNOWN:
        raise BackendError(f"Unknown backend '{name}'. Known: {', '.join(KNOWN)}.")
    module, _, attribute = KNOWN[name].partition(":")
    backend: Backend = getattr(import_module(module), attribute)()
    return backend
