"""Train the embedded x4 network. One command, resumable, on CPU and CUDA alike:

    python -m training.train PHOTOGRAPHS --out runs/compact --minutes 240

The schedule follows the time given: the learning rate falls along a cosine to the end. Started again with the same
``--out``, it goes on from the last checkpoint. A finished model is trained further by a new run that begins with its
weights, at a lower rate and with patches that it has not seen; ``--linear-path`` gives one to a model without it:

    python -m training.train PHOTOGRAPHS --out runs/longer --begin-with weights/MODEL.safetensors --rate 2e-4 --seed 1
"""

from __future__ import annotations

import argparse
import queue
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.averaged import AveragedRun
from training.data import SCALE, Pairs, load_photographs
from training.keeping import cosine_rate, save_run
from training.linear_path import as_tensor, fit_last_layer, open_linear_path

PEAK_RATE, LAST_RATE = 6e-4, 5e-6
LONGEST_STEP = 20.0
FIT_BATCHES = 60
FREQUENCY_WEIGHT = 0.1
FREQUENCY_FROM = 0.5
"""Weight of the frequency term, and from which share of the time on it counts (when training further: all of it)."""


def build(features: int = 64, convs: int = 16) -> nn.Module:
    """SRVGGNetCompact, initialised so that it trains: with PyTorch's default the residual stays zero."""
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    network = SRVGGNetCompact(num_feat=features, num_conv=convs, upscale=SCALE)
    for module in network.body:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=0.25)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        network.body[-1].weight.mul_(0.02)
    open_linear_path(network)
    return network


def charbonnier(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A smooth L1 (Charbonnier et al., 1994)."""
    return torch.sqrt((output - target) ** 2 + 1e-6).mean()


def frequency_distance(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean distance of the Fourier coefficients (after Cho et al., MIMO-UNet, 2021), unitary, so of the pixels' size.

    Fine structure is spread thinly over the pixels but gathered in few coefficients: missing it costs more here.
    """
    difference = torch.fft.rfft2(output, norm="ortho") - torch.fft.rfft2(target, norm="ortho")
    return torch.sqrt(difference.real**2 + difference.imag**2 + 1e-8).mean()


def _feed(pairs: Pairs, first: int, batches: queue.Queue[Any], stop: threading.Event) -> None:
    step = first
    while not stop.is_set():
        batch = pairs.batch(step)
        step += 1
        while not stop.is_set():
            try:
                batches.put(batch, timeout=1)
                break
            except queue.Full:
                continue


class Trainer(AveragedRun):
    """State of a run: network, its moving average, optimiser, step, and seconds spent."""

    def __init__(
        self,
        out: Path,
        device: str,
        minutes: float,
        begin_with: Path | None = None,
        peak_rate: float = PEAK_RATE,
    ) -> None:
        super().__init__(device, peak_rate)
        self.out, self.seconds_in_all = out, minutes * 60
        self.further = begin_with is not None
        torch.manual_seed(0)
        self.network = build()
        if begin_with is not None:
            from safetensors.torch import load_file

            self.network.load_state_dict(load_file(begin_with))
        self.place()
        self.spent = 0.0
        if (out / "last.pt").exists():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.out / "last.pt", map_location=self.device, weights_only=True)
        self.resume(state)
        self.spent = state["spent"]
        print(f"resumed at step {self.step}, {self.spent / 60:.1f} minutes spent", flush=True)

    def open_linear_path(self, pairs: Pairs, batches: int = FIT_BATCHES) -> None:
        """Give the network a linear path, and a last layer that makes the best of it. Not in a run that was resumed."""
        if self.step:
            return
        open_linear_path(self.network)
        # Batches from the far end, where training does not come.
        chosen = (pairs.batch(10**9 + number) for number in range(batches))
        self.network.to("cpu")
        error = fit_last_layer(self.network, ((as_tensor(worn), as_tensor(sharp)) for worn, sharp in chosen))
        self.place()
        print(f"linear path opened, mean squared error {error:.6f}", flush=True)

    def save(self) -> None:
        """Write the run down; see ``save_run``."""
        save_run(self.out, self.state() | {"spent": self.spent}, self.average)

    def rate(self) -> float:
        """Warm-up over 200 steps, then a cosine over the time given."""
        return cosine_rate(self.peak_rate, LAST_RATE, self.spent / self.seconds_in_all, self.step, 200)

    def learn(self, worn: np.ndarray, sharp: np.ndarray) -> float:
        """One step; returns the loss."""
        self.set_rate(self.rate())
        inputs = self.tensor(worn)
        targets = self.tensor(sharp)
        kind = self.device.partition(":")[0]
        with torch.autocast(kind, torch.bfloat16):
            output = self.network(inputs)
        loss = charbonnier(output.float(), targets)
        if self.further or self.spent >= FREQUENCY_FROM * self.seconds_in_all:
            loss = loss + FREQUENCY_WEIGHT * frequency_distance(output.float(), targets)
        self.descend(loss)
        return float(loss.detach())

    def run(self, pairs: Pairs, save_every: float = 180.0) -> None:
        """Train until the time is spent."""
        batches: queue.Queue[Any] = queue.Queue(maxsize=8)
        stop = threading.Event()
        feeder = threading.Thread(target=_feed, args=(pairs, self.step, batches, stop), daemon=True)
        feeder.start()
        saved = reported = time.monotonic()
        running = 0.0
        try:
            while self.spent < self.seconds_in_all:
                begun = time.monotonic()
                loss = self.learn(*batches.get())
                running = loss if running == 0 else 0.98 * running + 0.02 * loss
                now = time.monotonic()
                self.spent += min(now - begun, LONGEST_STEP)  # a machine that slept did not train
                if now - reported > 30:
                    reported = now
                    spent = f"{self.spent / 60:.1f} min"
                    print(f"step {self.step} loss {running:.5f} rate {self.rate():.2e} {spent}", flush=True)
                if now - saved > save_every:
                    saved = now
                    self.save()
        finally:
            stop.set()
            self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/compact"))
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=48, help="side of the worn patches, in pixels")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--begin-with", type=Path, metavar="FILE", help="weights to train further (safetensors)")
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="peak of the learning rate")
    parser.add_argument("--seed", type=int, default=0, help="of the patches")
    parser.add_argument("--linear-path", action="store_true", help="open one in the model to begin with")
    options = parser.parse_args()
    trainer = Trainer(options.out, options.device, options.minutes, options.begin_with, options.rate)
    pairs = Pairs(load_photographs(options.photographs), options.batch, options.patch, options.seed)
    if options.linear_path:
        trainer.open_linear_path(pairs)
    trainer.run(pairs)


if __name__ == "__main__":
    main()
