"""Teach a quick network what the teachers make of worn pictures. One command, resumable, on CPU and CUDA alike:

    python -m training.distill SET --scale 4 --out runs/quick-x4 --held-out HELD --begin-with FILE --steps 20000

``SET`` and ``HELD`` are folders of ``training.teacher_set``. The learning rate falls along a cosine over ``--steps``.
Started again with the same ``--out`` and set, it goes on from the last checkpoint exactly as if it had not stopped; a
set that has grown, or another ``--steps``, is taken as it is from there on. The x2 network learns the teachers' x4
reduced to x2 (means of 2x2 pixels). ``--haar 0.02`` adds what HaarPSI sees to the loss, ``--adversary 0.01`` a small
critic that tells teacher from student.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch

from engine.models.quick_network import CONVS
from training.adversary import Adversary
from training.averaged import AveragedRun
from training.haar import haar_distance
from training.keeping import cosine_rate, save_run
from training.linear_path import as_tensor, fit_last_layer
from training.quick import begin_with, build
from training.teacher_set import SCALE, read_shard

PEAK_RATE, LAST_RATE = 4e-4, 4e-6
WARM_UP = 100
FREQUENCY_WEIGHT = 0.1
FIT_BATCHES = 24
SAVE_EVERY, REPORT_EVERY, JUDGE_EVERY = 120.0, 30.0, 300.0
"""Seconds."""


class TaughtPairs:
    """The windows of a set, in memory, as batches: batch ``step`` of a seed is always the same."""

    def __init__(self, folder: Path, scale: int, batch: int, crop: int, seed: int = 0) -> None:
        paths = sorted(folder.glob("*.zip"))
        if not paths:
            raise SystemExit(f"'{folder}' holds no shards: make them with python -m training.teacher_set.")
        self.scale, self._batch, self._crop, self._seed = scale, batch, crop, seed
        self.worn: list[np.ndarray] = []
        self.wanted: list[np.ndarray] = []
        for path in paths:
            for worn, enlarged in read_shard(path):
                self.worn.append(worn)
                self.wanted.append(reduced_to(enlarged, scale))

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """``(N, c, c, 3)`` and ``(N, s*c, s*c, 3)``, uint8: cut anywhere, turned and mirrored."""
        random = np.random.default_rng((self._seed, step))
        pairs = [self._one(random) for _ in range(self._batch)]
        return np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])

    def _one(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        number = int(random.integers(len(self.worn)))
        worn, wanted = self.worn[number], self.wanted[number]
        top, left = (int(random.integers(0, length - self._crop + 1)) for length in worn.shape[:2])
        turns, mirrored = int(random.integers(4)), random.random() < 0.5

        def cut(rgb: np.ndarray, scale: int) -> np.ndarray:
            size = self._crop * scale
            part = rgb[top * scale : top * scale + size, left * scale : left * scale + size]
            part = np.rot90(part, turns)
            return part[:, ::-1] if mirrored else part

        return cut(worn, 1), cut(wanted, self.scale)


def reduced_to(enlarged: np.ndarray, scale: int) -> np.ndarray:
    if scale == SCALE:
        return enlarged
    size = (enlarged.shape[1] * scale // SCALE, enlarged.shape[0] * scale // SCALE)
    return np.asarray(cv2.resize(enlarged, size, interpolation=cv2.INTER_AREA))


def loss_between(output: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Charbonnier plus the distance of the Fourier coefficients, as ``training.train`` has it, of one transform."""
    difference = output - wanted
    transformed = torch.view_as_real(torch.fft.rfft2(difference, norm="ortho"))
    frequencies = torch.sqrt(transformed.square().sum(-1) + 1e-8).mean()
    return torch.sqrt(difference.square() + 1e-6).mean() + FREQUENCY_WEIGHT * frequencies


class Student(AveragedRun):
    """State of a run: network, its moving average, optimiser, and how many steps it has learned.

    Args:
        shape: (by how much the input is unshuffled, convolutions between the first and the last), as for ``build``.
        haar: weight of ``haar_distance`` in the loss; 0: none.
        adversary: weight of the critic; 0: none.
    """

    def __init__(
        self,
        out: Path,
        scale: int,
        device: str = "cpu",
        begin: Path | None = None,
        rate: float = PEAK_RATE,
        steps: int = 20_000,
        adversary: float = 0.0,
        shape: tuple[int | None, int] = (None, CONVS),
        haar: float = 0.0,
    ) -> None:
        super().__init__(device, rate)
        self.out, self.steps, self.haar = out, steps, haar
        torch.manual_seed(0)
        unshuffle, convs = shape
        self.network = build(scale, unshuffle, convs=convs)
        self._needs_fit = True
        if begin is not None:
            from engine.models.checkpoints import load_state_dict

            self._needs_fit = begin_with(self.network, load_state_dict(begin))
        self.place()
        self.adversary = Adversary(adversary, device) if adversary else None
        if (out / "last.pt").exists():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.out / "last.pt", map_location=self.device, weights_only=True)
        self.resume(state)
        if self.adversary is not None and "adversary" in state:
            self.adversary.load_state_dict(state["adversary"])
        print(f"resumed at step {self.step}", flush=True)

    def fit(self, pairs: TaughtPairs, batches: int = FIT_BATCHES) -> None:
        """Make the best of the linear path before the first step, where there is one that nothing uses yet."""
        if self.step or not self._needs_fit:
            return
        self.network.to("cpu")
        # Batches from the far end, where training does not come.
        chosen = (pairs.batch(10**9 + number) for number in range(batches))
        error = fit_last_layer(self.network, ((as_tensor(worn), as_tensor(wanted)) for worn, wanted in chosen))
        self.place()
        print(f"linear path fitted, mean squared error {error:.6f}", flush=True)

    def save(self) -> None:
        """Write the run down; see ``save_run``."""
        state = self.state()
        if self.adversary is not None:
            state["adversary"] = self.adversary.state_dict()
        save_run(self.out, state, self.average)

    def rate(self) -> float:
        """Warm-up, then a cosine over the steps."""
        return cosine_rate(self.peak_rate, LAST_RATE, self.step / self.steps, self.step, WARM_UP)

    def learn(self, worn: np.ndarray, wanted: np.ndarray) -> float:
        """One step; returns the loss."""
        self.set_rate(self.rate())
        with torch.autocast(self.device.partition(":")[0], torch.bfloat16):
            output = self.network(self.tensor(worn))
        targets = self.tensor(wanted)
        output = output.float()
        loss = loss_between(output, targets)
        if self.haar:
            loss = loss + self.haar * haar_distance(output, targets)
        if self.adversary is not None:
            loss = loss + self.adversary.penalty(output)
        self.descend(loss)
        if self.adversary is not None:
            self.adversary.learn(output, targets)
        return float(loss.detach())

    def distance(self, held: TaughtPairs, windows: int = 64) -> float:
        """Mean PSNR in dB of the averaged network to the teachers, over whole held-out windows."""
        own = {key: value.clone() for key, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        found = []
        with torch.inference_mode(), torch.autocast(self.device.partition(":")[0], torch.bfloat16):
            for worn, wanted in list(zip(held.worn, held.wanted, strict=True))[:windows]:
                output = self.network(self.tensor(worn[None])).float().clamp(0, 1)
                found.append(-10 * math.log10(float(((output - self.tensor(wanted[None])) ** 2).mean()) + 1e-8))
        self.network.load_state_dict(own)
        return float(np.mean(found))

    def run(self, pairs: TaughtPairs, held: TaughtPairs | None = None) -> None:
        """Learn until the last step, saving and judging on the way."""
        saved = reported = time.monotonic()
        judged = saved - JUDGE_EVERY
        running = 0.0
        try:
            for batch in _ahead(pairs, self.step, self.steps):
                now = time.monotonic()
                if held is not None and now - judged > JUDGE_EVERY:
                    judged = now
                    print(f"step {self.step}: {self.distance(held):.3f} dB to the teachers, held out", flush=True)
                loss = self.learn(*batch)
                running = loss if running == 0 else 0.98 * running + 0.02 * loss
                if now - reported > REPORT_EVERY:
                    reported = now
                    print(f"step {self.step} loss {running:.5f} rate {self.rate():.2e}", flush=True)
                if now - saved > SAVE_EVERY:
                    saved = now
                    self.save()
        finally:
            self.save()
        if held is not None:
            print(f"step {self.step}: {self.distance(held):.3f} dB to the teachers, held out", flush=True)


def _ahead(pairs: TaughtPairs, first: int, last: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches of these steps, each made while the one before is learned."""
    with ThreadPoolExecutor(1) as executor:
        coming = executor.submit(pairs.batch, first)
        for step in range(first, last):
            batch, coming = coming.result(), executor.submit(pairs.batch, step + 1)
            yield batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--scale", type=int, choices=(2, 4), default=4)
    parser.add_argument("--unshuffle", type=int, choices=(1, 2), help="before the first layer; default: 4 / scale")
    parser.add_argument("--convs", type=int, default=CONVS, help="convolutions between the first and the last")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, help="a set to judge by")
    parser.add_argument("--begin-with", type=Path, metavar="FILE", help="weights of a quick network or x4 compact one")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="peak of the learning rate")
    parser.add_argument("--haar", type=float, default=0.0, help="weight of the distance by HaarPSI; 0: none")
    parser.add_argument("--adversary", type=float, default=0.0, help="weight of the critic; 0: none")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--crop", type=int, default=56, help="side of the worn patches, in pixels")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0, help="of the patches")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pairs = TaughtPairs(options.set, options.scale, options.batch, options.crop, options.seed)
    held = TaughtPairs(options.held_out, options.scale, 1, options.crop) if options.held_out else None
    print(f"{len(pairs.worn)} windows", flush=True)
    student = Student(
        options.out,
        options.scale,
        options.device,
        options.begin_with,
        options.rate,
        options.steps,
        options.adversary,
        (options.unshuffle, options.convs),
        options.haar,
    )
    student.fit(pairs)
    student.run(pairs, held)


if __name__ == "__main__":
    main()
