"""What goes into the ready-made program, and what stays out; ``program.spec`` and the tests read it."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "realesrgan-ultimate"
FOLDERS = ("engine", "utils", "api", "ui", "cli", "desktop")
DATA = {
    "weights": ("embedded-*.safetensors", "quick-*.safetensors", "README.md"),
    "engine/analysis": ("*.npz",),
    "engine/backends/ranges": ("*.npz",),
    "ui": ("*.css", "*.js"),
    "ui/samples": ("*.jpg", "*.mp4"),
    "ui/viewer": ("*.html", "*.css", "*.js"),
    "ui/notices": ("*.html", "*.css", "*.js"),
    "ui/page_menu": ("*.html", "*.css", "*.js"),
    "desktop": ("*.svg", "*.png"),
}
"""Folder -> its files that are no modules; the same as ``setup.py`` installs."""
AS_SOURCE = ("gradio", "gradio_client")
"""Packages that read their own source files when they are imported."""
WITH_DATA = {
    "gradio": ["**/*"],
    "gradio_client": ["**/*"],
    "groovy": ["**/*"],
    "safehttpx": ["**/*"],
    "hf_gradio": ["**/*"],
    "cv2": ["data/haarcascade_frontalface_*.xml", "data/haarcascade_eye.xml"],
}
"""Packages whose other files are part of what they do -> which of them."""
WHOLE = ("imagecodecs", "rich")
"""Packages that import their modules by names put together at run time."""
VERSIONS_OF = ("gradio", "gradio_client", "openvino", "opencv-python-headless", "pillow", "numpy", "av")
"""Distributions whose versions ``info`` names, or that ask for their own."""
LEFT_OUT = (
    "torch",
    "torchvision",
    "spandrel",
    "tkinter",
    "matplotlib",
    "IPython",
    "pytest",
    "hf_xet",
)
"""Packages that nothing here needs; ``freeze.platforms`` says which of windows stay out."""
_NOT_NEEDED = re.compile(
    r"openvino_(c|gguf_frontend|jax_frontend|onnx_frontend|paddle_frontend|pytorch_frontend|tensorflow_frontend"
    r"|tensorflow_lite_frontend|auto_plugin|auto_batch_plugin|hetero_plugin|intel_gpu_plugin|intel_npu_plugin"
    r"|intel_npu_compiler\w*)(\.|_?\d*\.dll$)"
    r"|/py_(jax|onnx|paddle|pytorch|tensorflow)_frontend\.|openvino/libs/(cache\.json|.*\.pc|.*_debug\..*)$"
)
"""OpenVINO's other devices, and its readers of other files: this program builds its graphs, for the processor."""


def is_needed(name: str) -> bool:
    """Whether a file of OpenVINO's, by its path with slashes, belongs into the program."""
    return _NOT_NEEDED.search(name) is None


def own_data() -> list[tuple[str, str]]:
    """(file, folder in the program) of the program's own files that are no modules."""
    return [
        (str(path), folder)
        for folder, patterns in DATA.items()
        for pattern in patterns
        for path in sorted((ROOT / folder).glob(pattern))
    ]


def runtime() -> list[tuple[str, str]]:
    """(file, folder in the program) of OpenVINO's libraries: it opens them by name, so nothing shows it needs them.

    Raises ``PackageNotFoundError`` where it is not installed.
    """
    facts = distribution("openvino")
    names = [str(file).replace("\\", "/") for file in facts.files or ()]
    libraries = [name for name in names if name.startswith("openvino/libs/") and is_needed(name)]
    return [(str(facts.locate_file(name)), str(Path(name).parent.as_posix())) for name in sorted(libraries)]


def networks() -> list[tuple[str, str]]:
    """(file, folder in the program) of the networks that come along as data wheels, with their facts of installation.

    Raises ``PackageNotFoundError`` where a wheel is not installed.
    """
    from engine.models.wheel_pairs import PAIRS

    found = {}
    for pair in PAIRS.values():
        if not pair.wheel.with_setup:
            continue
        facts = distribution(pair.wheel.distribution)
        kept = [member for member, _ in pair.members]
        kept += [str(file) for file in facts.files or () if ".dist-info/" in str(file)]
        for name in kept:
            path = Path(str(facts.locate_file(name)))
            if path.is_file():
                found[str(path)] = str(Path(name).parent)
    return sorted(found.items())


__all__ = ["DATA", "NAME", "ROOT", "is_needed", "networks", "own_data", "runtime"]
