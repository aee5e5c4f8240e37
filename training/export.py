"""Turn a run's averaged weights into the model that ships: ``python -m training.export RUN NAME``.

Writes ``weights/NAME.safetensors`` in half precision with what it is and where it comes from, and prints the size and
SHA-256 for the registry.
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


def main() -> None:
    from safetensors.torch import load_file, save_file

    from engine.downloader import sha256_of

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run, with average.safetensors")
    parser.add_argument("name", help="name of the model")
    options = parser.parse_args()
    metadata = {
        "architecture": "SRVGGNetCompact, 64 features, 16 convolutions, PReLU",
        "scale": "4",
        "training_data": "54 photographs (CC0; Kodak PhotoCD, released for unrestricted use) and synthesised drawings",
        "date": datetime.date.today().isoformat(),
        "licence": "CC0-1.0",
    }
    target = WEIGHTS / f"{options.name}.safetensors"
    save_file(load_file(options.run / "average.safetensors"), target, metadata=metadata)
    target.chmod(0o644)  # safetensors writes files that nobody else may read
    print(f"{target}: size={target.stat().st_size}, sha256={sha256_of(target)}")


if __name__ == "__main__":
    main()
