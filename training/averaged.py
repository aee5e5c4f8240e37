"""What every training run does at a step: descend, and keep a running average of the weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

EMA = 0.998
"""Share of the average that a step leaves."""
_LONGEST_GRADIENT = 0.5


class AveragedRun:
    """A network that learns by AdamW, and the average of its weights, which is what is kept in the end.

    Attributes:
        average: float32 tensors under the keys of ``network.state_dict()``.
        step: steps done.
    """

    network: nn.Module
    step = 0

    def __init__(self, device: str, peak_rate: float) -> None:
        self.device, self.peak_rate = device, peak_rate

    def place(self) -> None:
        """Put the network on the device; average and optimizer begin anew."""
        self.network.to(self.device).to(memory_format=torch.channels_last)
        self.average = {key: value.detach().clone().float() for key, value in self.network.state_dict().items()}
        parameters = self.network.parameters()
        self.optimizer = torch.optim.AdamW(parameters, lr=self.peak_rate, betas=(0.9, 0.99), weight_decay=0)

    def resume(self, state: dict[str, object]) -> None:
        """Go on from what ``state`` gave."""
        self.network.load_state_dict(state["network"])  # type: ignore[arg-type]
        self.optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]
        self.average, self.step = state["average"], state["step"]  # type: ignore[assignment]

    def state(self) -> dict[str, object]:
        """All that a resumed run needs."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
        }

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def descend(self, loss: torch.Tensor) -> None:
        """A step down the loss, with gradients of bounded length; the average follows, quickly at first."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT)
        self.optimizer.step()
        self.step += 1
        decay = min(EMA, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for key, value in self.network.state_dict().items():
                self.average[key].lerp_(value.float(), 1 - decay)

    def tensor(self, pixels: np.ndarray) -> torch.Tensor:
        """``(N, H, W, C) uint8`` as ``(N, C, H, W) float32`` in 0..1 on the device."""
        tensor = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float() / 255
        return tensor.contiguous(memory_format=torch.channels_last)
