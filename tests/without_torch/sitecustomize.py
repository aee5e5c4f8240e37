"""With this folder on PYTHONPATH a process is as one where PyTorch was never installed."""

from __future__ import annotations

import sys

ABSENT = frozenset({"torch", "torchvision", "spandrel", "piq", "skimage", "scipy", "basicsr", "realesrgan", "gfpgan"})


class _Absent:
    """Answers for those packages, before anybody else is asked, that they are not there."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


sys.meta_path.insert(0, _Absent())  # type: ignore[arg-type]
