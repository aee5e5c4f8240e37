"""Vulkan devices, found in a process of their own: loading a broken driver may end the process that does it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

_PATIENCE = 20.0
_SOFTWARE = 3
"""ncnn's number for a processor that plays a graphics card."""
_QUESTION = (
    "import json, ncnn\n"
    "found = [ncnn.get_gpu_info(index) for index in range(ncnn.get_gpu_count())]\n"
    "print(json.dumps([[gpu.device_name(), gpu.type()] for gpu in found]))\n"
    "ncnn.destroy_gpu_instance()\n"
)


@dataclass(frozen=True)
class VulkanDevice:
    """``id``: "vulkan:0" and so on; ``software``: a processor that plays a graphics card (Mesa's llvmpipe)."""

    id: str
    name: str
    software: bool


@lru_cache(maxsize=1)
def vulkan_devices() -> tuple[VulkanDevice, ...]:
    """Every device that ncnn finds; empty without ncnn, without a driver, and where the driver crashes or hangs."""
    if find_spec("ncnn") is None:
        return ()
    try:
        done = subprocess.run([sys.executable, "-c", _QUESTION], capture_output=True, text=True, timeout=_PATIENCE)
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return ()
    return tuple(
        VulkanDevice(f"vulkan:{index}", str(name), kind == _SOFTWARE) for index, (name, kind) in enumerate(found)
    )


def vulkan_hardware() -> VulkanDevice | None:
    """The first real graphics card; None where there is none."""
    return next((device for device in vulkan_devices() if not device.software), None)
