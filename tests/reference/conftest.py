"""The original packages and this engine over the same checkpoints. Skips where the packages are not installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.networks import photograph, write_published
from engine.backends.original import build_network, import_originals, missing_packages
from engine.models import checkpoints
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from tests.conftest import shared

REAL = {"compact-anime": "compact-anime-x4.pth", "compact-general": "compact-general-x4.pth"}
SETUP = {"x4plus": "RealESRGAN_x4plus", "6B": "RealESRGAN_x4plus_anime_6B", "animevideov3": "realesr-animevideov3"}
PUBLISHED = (*REAL, *SETUP)
FIXED_SEED = {"rrdbnet-x2": (6, 2)}


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    missing = missing_packages()
    for item in items:
        if missing and here in Path(item.path).parents:
            item.add_marker(pytest.mark.skip(reason=f"the original packages are not installed ({', '.join(missing)})"))


@dataclass(frozen=True)
class Sides:
    """One checkpoint on both sides.

    Attributes:
        original: ``(picture, **RealESRGANer arguments) -> result``; pictures as ``cv2.imread`` gives them.
        engine: ``(picture, **settings) -> result``, through files, as a person would.
    """

    scale: int
    path: Path
    original: Callable[..., np.ndarray]
    engine: Callable[..., np.ndarray]


def write_fixed_seed(path: Path, blocks: int, scale: int) -> Path:
    """The original's own RRDBNet class with seeded weights; outputs lie where pictures lie."""
    import torch

    import_originals()
    from basicsr.archs.rrdbnet_arch import RRDBNet

    torch.manual_seed(blocks + scale)
    network = RRDBNet(3, 3, scale=scale, num_block=blocks).eval()
    with torch.no_grad():
        output = network(torch.from_numpy(photograph(48, 48)).permute(2, 0, 1)[None].float() / 255)
        gain = 0.2 / output.std()
        network.conv_last.weight.mul_(gain)
        network.conv_last.bias.fill_(0.5 - float(output.mean() * gain))
    torch.save({"params_ema": network.state_dict()}, path)
    return path


@pytest.fixture(scope="session")
def fixed_seed_weights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fixed-seed")
    for name, (blocks, scale) in FIXED_SEED.items():
        write_fixed_seed(folder / f"{name}.pth", blocks, scale)
    return folder


@pytest.fixture(scope="session")
def both(fixed_seed_weights, tmp_path_factory):
    """``both(name)`` -> ``Sides``."""
    from engine.model_manager import ModelManager

    folder = tmp_path_factory.mktemp("parity")
    managers: dict[Path, ModelManager] = {}
    upsamplers: dict[tuple[Any, ...], Any] = {}

    def open_sides(name: str) -> Sides:
        path = shared("weights", REAL[name]) if name in REAL else fixed_seed_weights / f"{name}.pth"
        if name in SETUP and not path.exists():
            write_published(path, SETUP[name])
        if path.parent not in managers:
            managers[path.parent] = ModelManager(
                {}, path.parent, cache_dir=folder / path.parent.name, bundled_dir=None, optimize=False, device="cpu"
            )
        manager = managers[path.parent]
        scale = manager.info(path.stem).scale

        def original(picture: np.ndarray, outscale: float | None = None, **options: Any) -> np.ndarray:
            import torch

            key = (path, *sorted(options.items()))
            if key not in upsamplers:
                state = checkpoints.load_state_dict(path)
                torch.save({"params": state}, folder / "plain.pth")
                upsamplers[key] = import_originals().RealESRGANer(
                    scale,
                    str(folder / "plain.pth"),
                    model=build_network(state, scale),
                    device=torch.device("cpu"),
                    **({"pre_pad": 0} | options),
                )
            return upsamplers[key].enhance(picture, outscale=outscale)[0]

        def engine(picture: np.ndarray, **settings: Any) -> np.ndarray:
            import cv2

            source, target = folder / "in.png", folder / "out.png"
            cv2.imwrite(str(source), picture)
            chosen = EnhanceSettings(**({"model": path.stem, "color_match": False, "precision": "fp32"} | settings))
            enhance_file(source, target, chosen, manager=manager, config=_Limits(), overwrite=True)
            result = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
            assert result is not None
            return result

        return Sides(scale, path, original, engine)

    yield open_sides
    for manager in managers.values():
        manager.close()


@dataclass(frozen=True)
class _Limits:
    max_image_mb: float = 200
    max_image_megapixels: float = 200
    max_pages: int = 2000
    max_output_megapixels: float = 1000
    gpu_memory_reserve_mb: int = 512
    cache_dir: Path | None = None


def part(name: str, height: int = 101, width: int = 127) -> np.ndarray:
    """A part of a sample picture as ``cv2.imread`` gives it; sides that no network likes."""
    import cv2

    picture = cv2.imread(str(shared("samples", name)), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    top, left = picture.shape[0] // 3, picture.shape[1] // 3
    return picture[top : top + height, left : left + width].copy()


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a - b in 255ths of white, whatever the bit depths."""
    assert a.shape == b.shape, (a.shape, b.shape)
    return a.astype(np.float64) * (255 / np.iinfo(a.dtype).max) - b.astype(np.float64) * (255 / np.iinfo(b.dtype).max)


def psnr(error: np.ndarray) -> float:
    """dB of a ``difference``; 99 when there is none."""
    mean = float(np.square(error).mean())
    return 99.0 if mean == 0 else min(99.0, float(10 * np.log10(255**2 / mean)))
