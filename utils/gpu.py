"""What this machine has: cores, instruction sets, memory, GPUs. Answers sensibly where there is no GPU."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from utils.json_types import JsonObject

MB = 2**20
_CGROUP = Path("/sys/fs/cgroup")
_INTERESTING = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "avx_vnni",
    "amx_bf16",
    "amx_int8",
    "amx_tile",
    "asimd",
)


@lru_cache(maxsize=1)
def cpu_features() -> frozenset[str]:
    """Instruction sets that matter for networks: avx2, avx512f, avx512_bf16, avx512_vnni, amx_bf16, asimd ..."""
    flags: set[str] = set()
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith(("flags", "Features")):
                flags.update(line.partition(":")[2].split())
                break
    except OSError:
        flags.update(_features_from_openvino())
    return frozenset(flags & set(_INTERESTING))


def _features_from_openvino() -> set[str]:
    """Without /proc (Windows, macOS) OpenVINO's own detection is at hand; it knows of bf16 units."""
    try:
        from utils.openvino import openvino

        capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, RuntimeError):
        return set()
    return {"avx512_bf16"} if "BF16" in capabilities else set()


def cpu_name() -> str:
    """The processor's own name, else the architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cpu_count() -> int:
    """Cores this process may use: affinity and container limits counted in."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:
        count = os.cpu_count() or 1
    return max(1, min(count, _cgroup_cores() or count))


def _cgroup_cores(root: Path = _CGROUP) -> int | None:
    """Cores that a container's quota amounts to, at least 1, or None without one."""
    try:
        quota, _, period = (root / "cpu.max").read_text().strip().partition(" ")
        return None if quota == "max" else max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return None


def _cgroup_free(root: Path = _CGROUP) -> int | None:
    """Bytes left below a container's memory limit (cgroup v2, then v1), or None without one.

    What counts as used includes the cache of files; its idle part is given back before anything fails.
    """
    for folder, limit, used, cache in (
        (root, "memory.max", "memory.current", "inactive_file"),
        (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            left = int((folder / limit).read_text()) - int((folder / used).read_text())
            facts = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text().splitlines())
            return max(0, left + int(facts.get(cache, 0)))
        except (OSError, ValueError):
            continue
    return None


def available_host_memory() -> int:
    """Bytes of memory that can be used without swapping, container limits counted in."""
    import psutil

    free = int(psutil.virtual_memory().available)
    limited = _cgroup_free()
    return free if limited is None else min(free, limited)


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MiB."""
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / MB
    # Linux hands the parent's peak down in ru_maxrss, through fork and exec; the kernel's own account starts anew.
    if sys.platform == "linux":
        with suppress(OSError, ValueError, StopIteration):
            lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
            return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / MB if sys.platform == "darwin" else peak / 1024


def current_rss_mb() -> float:
    """Resident memory of this process now, in MiB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / MB


def gpu_is_possible() -> bool:
    """Whether importing torch to look for a GPU can pay: it costs seconds, and most machines show at once that not."""
    if platform.system() != "Linux":
        return True
    return any(Path(name).exists() for name in ("/dev/nvidiactl", "/dev/kfd", "/dev/dri", "/dev/dxg", "/dev/nvidia0"))


def memory_now() -> dict[str, float]:
    """MiB of this machine and process at this moment: ``total``, ``available``, ``process``, ``process_peak``."""
    import psutil

    return {
        "total": float(psutil.virtual_memory().total) / MB,
        "available": available_host_memory() / MB,
        "process": current_rss_mb(),
        "process_peak": peak_memory_mb(),
    }


class GPUDetector:
    """Facts about accelerators, through torch; without torch or without a GPU every answer is empty."""

    @staticmethod
    def _torch() -> ModuleType | None:
        try:
            import torch
        except ImportError:
            return None
        return torch

    def get_available_gpus(self) -> list[JsonObject]:
        """One dict a device: ``id`` (torch's name), ``name``, ``total_memory_mb`` (None where unknown)."""
        torch = self._torch()
        gpus: list[JsonObject] = []
        if torch is None:
            return gpus
        for kind in ("cuda", "xpu"):
            module = getattr(torch, kind, None)
            if module is not None and module.is_available():
                for index in range(module.device_count()):
                    properties = module.get_device_properties(index)
                    gpus.append(
                        {
                            "id": f"{kind}:{index}",
                            "name": properties.name,
                            "total_memory_mb": properties.total_memory // MB,
                        }
                    )
        if torch.backends.mps.is_available():
            gpus.append({"id": "mps", "name": "Apple GPU", "total_memory_mb": None})
        return gpus

    def get_gpu_memory(self, device: str = "cuda:0") -> dict[str, int]:
        """``free_mb`` and ``total_mb`` of a device; empty when it does not exist or cannot tell."""
        torch = self._torch()
        if torch is None or not device.startswith("cuda") or not torch.cuda.is_available():
            return {}
        free, total = torch.cuda.mem_get_info(device)
        return {"free_mb": free // MB, "total_mb": total // MB}

    def clear_gpu_cache(self) -> None:
        """Give cached but unused GPU memory back; does nothing where there is none."""
        torch = sys.modules.get("torch")
        if torch is None:
            return
        for kind in ("cuda", "xpu", "mps"):
            module = getattr(torch, kind, None)
            available = torch.backends.mps.is_available() if kind == "mps" else module and module.is_available()
            if available and module is not None and hasattr(module, "empty_cache"):
                module.empty_cache()

    def set_device(self, gpu_id: int) -> str:
        """Make a GPU the current one; returns its name, or "cpu" when there is no such GPU."""
        gpus = self.get_available_gpus()
        if not 0 <= gpu_id < len(gpus):
            return "cpu"
        device = str(gpus[gpu_id]["id"])
        torch = self._torch()
        if torch is not None and device.startswith("cuda"):
            torch.cuda.set_device(device)
        return device

    def get_system_info(self, *, look_for_gpus: bool = True) -> JsonObject:
        """Processor, cores, instruction sets, memory and GPUs. ``look_for_gpus`` imports torch, which takes seconds."""
        import psutil

        memory = psutil.virtual_memory()
        return {
            "platform": platform.platform(),
            "python": platform.python_version(),
            "cpu": cpu_name(),
            "cores": cpu_count(),
            "cpu_features": sorted(cpu_features()),
            "memory_total_mb": int(memory.total) // MB,
            "memory_available_mb": available_host_memory() // MB,
            "gpus": self.get_available_gpus() if look_for_gpus else [],
        }


_OUT_OF_MEMORY_TEXTS = ("out of memory", "can't allocate memory", "not enough memory", "failed to allocate")
"""MPS and the CPU allocator raise a bare RuntimeError; its text is all there is to tell it by."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of torch (any device) means that memory ran out."""
    torch = sys.modules.get("torch")  # where nobody imported it, it raised nothing
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _OUT_OF_MEMORY_TEXTS)
