"""What a bug report needs: machine, versions, devices, models, and measured speeds."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine.model_manager import ModelManager
from utils import pytorch
from utils.engine_config import EngineConfig
from utils.gpu import GPUDetector, gpu_is_possible
from utils.json_types import JsonObject
from utils.vulkan import vulkan_devices

PACKAGES = ("torch", "torchvision", "openvino", "ncnn", "gradio", "spandrel", "opencv-python", "pillow", "numpy", "av")
_FOLDERS = ("weights_dir", "output_dir", "cache_dir", "data_dir", "log_dir")


@dataclass(frozen=True)
class FolderFacts:
    """A folder of the program. ``used`` bytes lie in it; ``free`` of ``total`` bytes are left on its disk."""

    name: str
    path: Path
    files: int
    used: int
    free: int
    total: int


def package_versions() -> dict[str, str]:
    """Installed versions of what matters; "not installed" for the rest."""
    return {name: _version(name) or _version(f"{name}-headless") or "not installed" for name in PACKAGES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def folder_facts(config: EngineConfig) -> tuple[FolderFacts, ...]:
    """The program's folders, looked through; links are not followed."""
    facts = []
    for name in _FOLDERS:
        path = Path(getattr(config, name))
        files = used = 0
        for root, _, names in os.walk(path):
            for one in names:
                try:
                    used += os.lstat(os.path.join(root, one)).st_size
                    files += 1
                except OSError:  # deleted meanwhile
                    continue
        there = path
        while not there.exists() and there != there.parent:
            there = there.parent
        disk = shutil.disk_usage(there)
        facts.append(FolderFacts(name.removesuffix("_dir"), path, files, used, disk.free, disk.total))
    return tuple(facts)


def limits(config: EngineConfig) -> dict[str, str]:
    """The limits in force: name -> value with its unit."""
    return {
        "image": f"{config.max_image_mb:g} MB, {config.max_image_megapixels:g} megapixels, {config.max_pages} pages",
        "output": f"{config.max_output_megapixels:g} megapixels",
        "video": f"{config.max_video_mb:g} MB",
        "memory left free": f"{config.gpu_memory_reserve_mb} MB",
        "jobs waiting": str(config.queue_limit),
    }


def measured_speeds(manager: ModelManager) -> dict[str, str]:
    """Self-test results: network and device -> what each backend gave."""
    speeds = {}
    for key, record in manager.self_tests.all().items():
        network = " | ".join(key.split(" | ")[:4])
        parts = []
        for trial in record.get("trials", []):
            speed = trial["seconds_per_megapixel"]
            told = f"{speed:.1f} s a megapixel, " if speed else ""
            outcome = trial["problem"] or f"{told}{trial['psnr']:.0f} dB"
            parts.append(f"{trial['backend']} {trial['precision']}: {outcome}")
        speeds[network] = "; ".join(parts)
    return speeds


def machine_facts() -> JsonObject:
    """Processor, memory and GPUs, those of Vulkan too; imports torch only where there may be a GPU."""
    facts = GPUDetector().get_system_info(look_for_gpus=gpu_is_possible())
    for device in vulkan_devices():
        kind = "software, never chosen unasked" if device.software else "Vulkan"
        facts["gpus"].append({"id": device.id, "name": f"{device.name} ({kind})", "total_memory_mb": None})
    return facts


def system_report(manager: ModelManager, config: EngineConfig) -> JsonObject:
    """Everything as one nested dict of plain values."""
    return {
        "system": machine_facts(),
        "versions": package_versions(),
        "device": manager.resolve_device(),
        **_cards_left_out(),
        "speeds (self-test)": measured_speeds(manager),
        "models installed": {
            status.name: f"{status.architecture}, x{status.scale}, {status.verified}"
            + (f", problem: {status.problem}" if status.problem else "")
            for status in manager.list()
            if status.installed
        },
        "models loaded": manager.status(),
        "limits": limits(config),
        "folders": {
            facts.name: f"{facts.path} ({facts.used / 1e6:.1f} MB; {facts.free / 1e9:.1f} GB free)"
            for facts in folder_facts(config)
        },
    }


def _cards_left_out() -> dict[str, str]:
    """Where there may be a graphics card and PyTorch is not installed: that it takes no part, and what to do."""
    if pytorch.is_installed() or not gpu_is_possible():
        return {}
    return {"graphics cards": f"CUDA, ROCm, MPS and XPU are used by PyTorch, {pytorch.how_to_get_it()}"}


def report_lines(report: JsonObject, indent: str = "") -> list[str]:
    """A nested report as indented lines of text."""
    lines = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *report_lines(value, indent + "  ")]
        elif isinstance(value, list):
            lines.append(f"{indent}{key}: {', '.join(map(str, value)) or '-'}")
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines


def bug_report(
    manager: ModelManager, config: EngineConfig, *, loaded: JsonObject | None = None, log_lines: int = 40
) -> str:
    """The report and the end of the log as text to paste; the person's home folder is written as ``~``.

    Args:
        loaded: the loaded models, where they are not the manager's own.
    """
    from utils.logger import log_tail

    report = system_report(manager, config)
    if loaded is not None:
        report["models loaded"] = loaded
    lines = [*report_lines(report), "", "log:", log_tail(config.log_dir, log_lines) or "-"]
    text, home = "\n".join(lines), str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def bug_report_for(config: EngineConfig, loaded: JsonObject) -> str:
    """``bug_report`` with a manager of its own; for a child process, see ``engine.models.isolated``."""
    with closing(ModelManager.from_config(config)) as manager:
        return bug_report(manager, config, loaded=loaded)
