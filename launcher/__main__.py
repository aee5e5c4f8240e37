"""``python -m realesrgan_ultimate.launcher``: the same as the command ``realesrgan-ultimate``."""

from __future__ import annotations

from . import application

if __name__ == "__main__":
    raise SystemExit(application())
