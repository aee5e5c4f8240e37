"""Turn a run's averaged weights into the model that ships: ``python -m training.export RUN NAME``.

Writes ``weights/NAME.safetensors`` (or below ``--folder``) in half precision with what it is and where it comes from,
and prints the size and SHA-256 for the registry. Metadata of the quick networks is taken for runs of
``training.distill`` (``--distilled``), which say what they began with (``--begun-with``) and, where it is not
``RealESRGAN_x4plus`` with its anime twin, what taught them (``--taught-by``, ``--taught-on``). ``--mixed-with``
takes the mean with an earlier state of the same run (Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
TEACHERS = "RealESRGAN_x4plus (photographs), RealESRGAN_x4plus_anime_6B (drawings)"
SHOWN = "free photographs and drawings"
_BSD = "BSD-3-Clause, Copyright (c) 2021 Xintao Wang"


def embedded_metadata() -> dict[str, str]:
    """Of the networks of ``training.train``."""
    return {
        "architecture": "SRVGGNetCompact, 64 features, 16 convolutions, PReLU",
        "scale": "4",
        "training_data": "54 photographs (CC0; Kodak PhotoCD, released for unrestricted use) and synthesised drawings",
        "date": datetime.date.today().isoformat(),
        "licence": "CC0-1.0",
    }


def distilled_metadata(
    state: Mapping[str, Tensor], begun_with: str | None, teachers: str = TEACHERS, shown: str = SHOWN
) -> dict[str, str]:
    """Of the networks of ``training.distill``. One that began with others' weights keeps their licence.

    Args:
        begun_with: name of the BSD-3-Clause network whose weights training began with, None for random ones.
        teachers: names of the networks that it learned from, with what each taught.
        shown: what it learned on.
    """
    from engine.models.quick_network import from_state

    network = from_state(state)
    features, convs = network.body[0].out_channels, len(network.body) // 2 - 1
    behind = f" behind a {network.unshuffle}x pixel-unshuffle" if network.unshuffle > 1 else ""
    return {
        "architecture": f"SRVGGNetCompact, {features} features, {convs} convolutions, PReLU{behind}",
        "scale": str(network.upscale),
        "unshuffle": str(network.unshuffle),
        "teachers": teachers,
        "training_data": f"their outputs on {shown}, worn by training/worn.py",
        "begun_with": begun_with or "random weights",
        "date": datetime.date.today().isoformat(),
        "licence": f"{_BSD}; changes: CC0-1.0" if begun_with else "CC0-1.0",
    }


def export(
    run: Path,
    target: Path,
    metadata: dict[str, str] | None = None,
    begun_with: str | None = None,
    mixed_with: Path | None = None,
    share: float = 0.5,
    teachers: str = TEACHERS,
    shown: str = SHOWN,
) -> None:
    """Write the averaged weights of a run as ``target``; without metadata, that of a distilled network.

    Args:
        mixed_with: an earlier ``average.safetensors`` of the run, which gets ``share`` of the weights' mean.
    """
    from safetensors.torch import load_file, save_file

    state = load_file(run / "average.safetensors")
    if mixed_with is not None:
        other = load_file(mixed_with)
        state = {key: value.float().lerp(other[key].float(), share).to(value.dtype) for key, value in state.items()}
    save_file(state, target, metadata=metadata or distilled_metadata(state, begun_with, teachers, shown))
    target.chmod(0o644)  # safetensors writes files that nobody else may read


def main() -> None:
    from utils.files import sha256_of

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run, with average.safetensors")
    parser.add_argument("name", help="name of the model")
    parser.add_argument("--folder", type=Path, default=WEIGHTS)
    parser.add_argument("--distilled", action="store_true", help="the run is one of training.distill")
    parser.add_argument("--begun-with", metavar="NAME", help="the BSD-3-Clause network that a distilled one began with")
    parser.add_argument(
        "--taught-by", metavar="NAMES", default=TEACHERS, help="the networks that a distilled one learned from"
    )
    parser.add_argument("--taught-on", metavar="WORDS", default=SHOWN, help="what a distilled one was shown")
    parser.add_argument("--mixed-with", type=Path, metavar="FILE", help="an earlier average.safetensors of the run")
    parser.add_argument("--share", type=float, default=0.5, help="of the earlier one in the mean")
    options = parser.parse_args()
    target = options.folder / f"{options.name}.safetensors"
    metadata = None if options.distilled else embedded_metadata()
    teachers = (options.taught_by, options.taught_on)
    export(options.run, target, metadata, options.begun_with, options.mixed_with, options.share, *teachers)
    print(f"{target}: size={target.stat().st_size}, sha256={sha256_of(target)}")


if __name__ == "__main__":
    main()
