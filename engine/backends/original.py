"""The original packages (basicsr, realesrgan, gfpgan) as a backend: their code runs the windows, this engine the rest.

For comparing, and for whoever wants exactly what they give. Never chosen by itself: it must be asked for by name. The
packages do not install on Python 3.13; everything about them, including what a current torchvision needs in order to
import them, is in this file.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from engine.backends.base import Backend, NetworkSource, Session
from engine.pixels.tiling import TileOutOfMemory
from utils.errors import BackendError
from utils.gpu import is_out_of_memory

if TYPE_CHECKING:
    from torch import Tensor, nn

ORIGINAL_PACKAGES = ("basicsr", "realesrgan", "gfpgan")
_GONE = "torchvision.transforms.functional_tensor"
_IMPORTING = threading.Lock()


def missing_packages() -> list[str]:
    """Those of the original packages that are not installed."""
    return [name for name in ORIGINAL_PACKAGES if find_spec(name) is None]


def import_originals() -> ModuleType:
    """The ``realesrgan`` package, imported beside a current torchvision.

    torchvision 0.17 removed ``functional_tensor``, from which basicsr imports one function. A module of that name with
    that function is put in its place, and taken away again once basicsr has what it wants.
    """
    import torchvision.transforms.functional as current

    with _IMPORTING:
        shim = ModuleType(_GONE)
        shim.rgb_to_grayscale = current.rgb_to_grayscale  # type: ignore[attr-defined]
        ours = sys.modules.setdefault(_GONE, shim) is shim
        try:
            import gfpgan  # noqa: F401  (it, too, imports basicsr)
            import realesrgan
        except ImportError as error:
            raise BackendError(
                f"The original packages are installed but do not import here: {error}. "
                "requirements-reference.txt names the versions that work together."
            ) from error
        finally:
            if ours:
                sys.modules.pop(_GONE, None)
    module: ModuleType = realesrgan
    return module


def build_network(state: dict[str, Tensor], scale: int) -> nn.Module:
    """The original class for a state dict, without its weights; raises ``BackendError`` where there is none."""
    import_originals()
    if "conv_first.weight" in state and "body.0.rdb1.conv1.weight" in state:
        from basicsr.archs.rrdbnet_arch import RRDBNet

        blocks = {key.split(".")[1] for key in state if key.startswith("body.")}
        return RRDBNet(
            num_in_ch=3,
            num_out_ch=3,
            scale=scale,
            num_feat=state["conv_first.weight"].shape[0],
            num_block=len(blocks),
            num_grow_ch=state["body.0.rdb1.conv1.weight"].shape[0],
        )
    if "body.0.weight" in state and state["body.0.weight"].ndim == 4:
        from realesrgan.archs.srvgg_arch import SRVGGNetCompact

        layers = [value for key, value in state.items() if key.startswith("body.") and value.ndim == 4]
        return SRVGGNetCompact(num_feat=layers[0].shape[0], num_conv=len(layers) - 2, upscale=scale, act_type="prelu")
    raise BackendError(
        "The original packages know RRDBNet, SRVGGNetCompact and GFPGAN only. "
        "Choose another backend for this model (--backend auto)."
    )


class OriginalSession(Session):
    """``RealESRGANer`` on one window: its ``pre_process``, ``process`` and ``post_process``, without its own tiles."""

    backend = "original"
    preferred_tile = 1 << 15  # the originals run the whole picture; memory decides when that cannot be

    def __init__(self, source: NetworkSource, device: str, precision: str) -> None:
        import torch

        self._torch, self._info = torch, source.info
        self.device, self.precision = device, precision
        state = source.state()
        network = build_network(state, source.info.scale)
        with tempfile.TemporaryDirectory() as folder:
            # RealESRGANer takes a file's name and nothing else.
            path = Path(folder) / "weights.pth"
            torch.save({"params": state}, path)
            self._upsampler = import_originals().RealESRGANer(
                scale=source.info.scale,
                model_path=str(path),
                model=network,
                tile=0,
                pre_pad=0,
                half=precision == "fp16",
                device=torch.device(device),
            )
        self._lock = threading.Lock()

    def infer(self, batch: np.ndarray) -> np.ndarray:
        try:
            with self._lock, self._torch.no_grad():
                return np.stack([self._one(window) for window in batch])
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise TileOutOfMemory(str(error)) from None
            raise

    def _one(self, window: np.ndarray) -> np.ndarray:
        self._upsampler.pre_process(window)
        self._upsampler.process()
        output: np.ndarray = self._upsampler.post_process()[0].float().permute(1, 2, 0).cpu().numpy()
        return output

    def bytes_per_input_pixel(self) -> float:
        return 64 * 3 * self._info.scale**2 * (4 if self.precision == "fp32" else 2)

    def free_memory(self) -> int | None:
        return int(self._torch.cuda.mem_get_info(self.device)[0]) if self.device.startswith("cuda") else None

    def close(self) -> None:
        self._upsampler = None


class OriginalFaceSession(Session):
    """``GFPGANv1Clean`` on aligned crops with ``GFPGANer``'s ranges.

    ``GFPGANer`` itself fetches its detector from the network when it is made; here the engine finds and aligns the
    faces, and the original network restores them.
    """

    backend = "original"

    def __init__(self, source: NetworkSource, device: str) -> None:
        import torch

        import_originals()
        from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean

        state = source.state()
        if "final_conv.weight" not in state:
            raise BackendError(f"The original packages cannot run '{source.name}': it is no GFPGANv1Clean.")
        narrow = state["final_conv.weight"].shape[0] / 256
        network = GFPGANv1Clean(
            out_size=512,
            num_style_feat=state["final_linear.weight"].shape[0] // 16,
            channel_multiplier=max(1, round(state["conv_body_first.weight"].shape[0] / (16 * narrow))),
            fix_decoder=False,
            num_mlp=sum(k.startswith("stylegan_decoder.style_mlp.") and k.endswith(".weight") for k in state),
            input_is_latent=True,
            different_w=True,
            narrow=narrow,
            sft_half=True,
        )
        network.load_state_dict(state, strict=True)
        self._torch, self.device, self.precision = torch, device, "fp32"
        self._network = network.eval().to(device)

    def infer(self, batch: np.ndarray) -> np.ndarray:
        torch = self._torch
        try:
            with torch.no_grad():
                planes = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
                tensor = torch.from_numpy(planes * np.float32(2) - 1).to(self.device)
                # The checkpoint's own noise instead of fresh one: the same picture twice is the same picture.
                output = self._network(tensor, return_rgb=False, randomize_noise=False)[0]
                result: np.ndarray = ((output.clamp(-1, 1) + 1) / 2).permute(0, 2, 3, 1).cpu().numpy()
                return result
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise TileOutOfMemory(str(error)) from None
            raise

    def close(self) -> None:
        self._network = None


class OriginalBackend(Backend):
    """The original packages, where they are installed."""

    name = "original"

    def missing(self) -> str | None:
        absent = missing_packages()
        if not absent:
            return None
        return (
            f"The original packages are not installed (missing: {', '.join(absent)}). They install on Python 3.11 and "
            f"3.12 (this is {sys.version_info.major}.{sys.version_info.minor}): "
            "pip install -r requirements-reference.txt. The other backends do not need them."
        )

    def devices(self) -> list[str]:
        if missing_packages():
            return []
        import torch

        return [*(f"cuda:{index}" for index in range(torch.cuda.device_count())), "cpu"]

    def serves(self, device: str) -> bool:
        return not missing_packages() if device == "cpu" else device in self.devices()

    def precisions(self, device: str) -> list[str]:
        return ["fp16", "fp32"] if device.startswith("cuda") else ["fp32"]

    def open(self, source: NetworkSource, device: str, precision: str, cache_dir: Path | None) -> Session:
        why = self.missing()
        if why is not None:
            raise BackendError(why)
        try:
            if source.info.kind == "face":
                return OriginalFaceSession(source, device)
            return OriginalSession(source, device, precision)
        except (RuntimeError, KeyError) as error:
            if is_out_of_memory(error):
                raise TileOutOfMemory(str(error)) from None
            raise BackendError(f"The original packages could not load '{source.name}': {error}") from error
