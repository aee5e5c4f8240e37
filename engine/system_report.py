"""What a bug report needs: machine, versions, devices, models, and measured speeds."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from engine.model_manager import ModelManager
from utils.gpu import GPUDetector

PACKAGES = ("torch", "torchvision", "openvino", "gradio", "spandrel", "opencv-python", "pillow", "numpy")


def package_versions() -> dict[str, str]:
    """Installed versions of what matters; "not installed" for the rest."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def measured_speeds(manager: ModelManager) -> dict[str, str]:
    """Self-test results: network and device -> what each backend gave."""
    speeds = {}
    for key, record in manager.self_tests.all().items():
        network = " | ".join(key.split(" | ")[:4])
        parts = []
        for trial in record.get("trials", []):
            outcome = trial["problem"] or f"{trial['seconds_per_megapixel']:.1f} s a megapixel, {trial['psnr']:.0f} dB"
            parts.append(f"{trial['backend']} {trial['precision']}: {outcome}")
        speeds[network] = "; ".join(parts)
    return speeds


def system_report(manager: ModelManager, config: Any) -> dict[str, Any]:
    """Everything as one nested dict of plain values."""
    return {
        "system": GPUDetector().get_system_info(),
        "versions": package_versions(),
        "device": manager.resolve_device(),
        "speeds (self-test)": measured_speeds(manager),
        "models installed": {
            status.name: f"{status.architecture}, x{status.scale}, {status.verified}"
            + (f", problem: {status.problem}" if status.problem else "")
            for status in manager.list()
            if status.installed
        },
        "models loaded": manager.status(),
        "limits": {
            "image": f"{config.max_image_mb:g} MB, {config.max_image_megapixels:g} megapixels",
            "output": f"{config.max_output_megapixels:g} megapixels",
        },
        "folders": {
            "weights": str(config.weights_dir),
            "outputs": str(config.output_dir),
            "cache": str(config.cache_dir),
            "logs": str(config.log_dir),
        },
    }
