"""A small network that tells the teacher's output from the student's: what means of errors do not see, it does.

A few strided convolutions under spectral normalisation (Miyato et al., ICLR 2018), judging patches (Isola et al., CVPR
2017) by the hinge loss (Lim and Ye, 2017).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

RATE = 1e-4
WIDTHS = (32, 64, 96, 96)


def critic() -> nn.Module:
    """``(N, 3, H, W)`` in 0..1 to a judgement of each patch of about 46 pixels: high where it seems the teacher's."""
    layers: list[nn.Module] = []
    before = 3
    for number, width in enumerate(WIDTHS):
        stride = 2 if number < len(WIDTHS) - 1 else 1
        layers += [
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(before, width, 4 if stride == 2 else 3, stride, 1)),
            nn.LeakyReLU(0.2),
        ]
        before = width
    return nn.Sequential(*layers, nn.Conv2d(before, 1, 3, 1, 1))


class Adversary:
    """The critic, its optimiser, and how much its judgement counts for the student (``weight``)."""

    def __init__(self, weight: float, device: str) -> None:
        self.weight, self._kind = weight, device.partition(":")[0]
        self.network = critic().to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE, betas=(0.5, 0.99))

    def _judged(self, pictures: torch.Tensor) -> torch.Tensor:
        with torch.autocast(self._kind, torch.bfloat16):
            return self.network(pictures).float()

    def penalty(self, output: torch.Tensor) -> torch.Tensor:
        """What the student pays for being told from the teacher."""
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)
        return -self.weight * self._judged(output).mean()

    def learn(self, output: torch.Tensor, wanted: torch.Tensor) -> None:
        """One step of the critic: the teacher's above 1, the student's below -1."""
        for parameter in self.network.parameters():
            parameter.requires_grad_(True)
        right = torch.relu(1 - self._judged(wanted)).mean()
        wrong = torch.relu(1 + self._judged(output.detach())).mean()
        self.optimizer.zero_grad(set_to_none=True)
        (right + wrong).backward()
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` goes on from."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
