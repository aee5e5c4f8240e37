"""Tiny real checkpoints, made on the spot: the true architectures with few features and fixed-seed weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def compact_state(
    scale: int = 4, convs: int = 3, features: int = 16, seed: int = 0, residual: float = 0.05
) -> dict[str, Any]:
    """An SRVGGNetCompact whose residual is small, so its pictures look like their inputs; 0 repeats pixels."""
    import torch
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(seed)
    network = SRVGGNetCompact(num_feat=features, num_conv=convs, upscale=scale)
    with torch.no_grad():
        for module in network.body:
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, a=0.25)
                module.bias.zero_()
        network.body[-1].weight.mul_(residual)
    return dict(network.state_dict())


def quick_state(convs: int = 3, features: int = 16, seed: int = 0) -> dict[str, Any]:
    """A small SRVGGNetCompact behind a 2x pixel-unshuffle, x2 in all."""
    import torch

    from training.quick import build

    torch.manual_seed(seed)
    network = build(2, features=features, convs=convs)
    with torch.no_grad():
        network.body[-1].weight.normal_(0, 0.02)
    return dict(network.state_dict())


def rrdb_state(scale: int = 4, blocks: int = 2, features: int = 16, seed: int = 0) -> dict[str, Any]:
    """A small RRDBNet; scale 2 works on a pixel-unshuffled input, as RealESRGAN_x2plus does."""
    import torch
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    torch.manual_seed(seed)
    if scale == 2:
        network = RRDBNet(in_nc=12, num_filters=features, num_blocks=blocks, scale=4, shuffle_factor=2)
    else:
        network = RRDBNet(num_filters=features, num_blocks=blocks, scale=scale)
    return dict(network.state_dict())


def span_state(scale: int = 4, features: int = 12, norm: bool = True, seed: int = 0) -> dict[str, Any]:
    """A small SPAN whose outputs lie in the range of pictures."""
    import torch
    from spandrel.architectures.SPAN.__arch.span import SPAN

    torch.manual_seed(seed)
    network = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=features, upscale=scale, norm=norm).eval()
    last = network.upsampler[0]
    with torch.no_grad():
        output = network(torch.rand(1, 3, 24, 24))
        last.weight.mul_(0.2 / output.std())
        last.bias.fill_(0.5)
    return {key: value.clone() for key, value in network.state_dict().items()}


def face_state(narrow: float = 1 / 32, features: int = 32, seed: int = 0) -> dict[str, Any]:
    """A GFPGANv1Clean with random weights; ``narrow=1, features=512`` is the published shape. It draws no faces."""
    import torch
    from spandrel.architectures.GFPGAN import GFPGAN

    torch.manual_seed(seed)
    return dict(GFPGAN(narrow=narrow, num_style_feat=features).state_dict())


def save_pth(state: dict[str, Any], path: Path, nested_in: str | None = "params") -> Path:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({nested_in: state} if nested_in else state, path)
    return path


def save_safetensors(state: dict[str, Any], path: Path) -> Path:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    return path
