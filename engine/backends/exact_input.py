"""What a network in a 16-bit number type must not round: its eight-bit pixels, and the sum that its blocks add to.

bfloat16 holds eight significant bits, and of the 256 values ``k / 255`` it rounds nearly every one *up*: pictures came
out 0.2 to 0.3 of 255 too bright, a shift that no blending takes away. ``k / 256`` it holds exactly. So pictures are
scaled by 255 / 256 in fp32, and the first convolution's weights by 256 / 255; a network that adds its enlarged input at
the end does that in fp32. Measured with published compact weights against fp32: 51.4 dB before, 54.6 dB with it, the
shift down from 0.30 to 0.15 (``rounding`` takes the rest); nothing is slower.

ESRGAN's 23 blocks add to one map, a fifth of each one's result at a time. Rounded 23 times, that map alone kept
pictures below 49 dB; in fp32 it costs next to nothing, while all that is multiplied stays in 16 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.checkpoints import CheckpointInfo

_COMPACT = "RealESRGAN Compact"
_ESRGAN = "ESRGAN"
_BACK = 256 / 255


def input_scale(info: CheckpointInfo) -> float:
    """What pixels in 0..1 are multiplied by before they enter a network that ``with_exact_input`` returned."""
    return 255 / 256 if info.architecture in (_COMPACT, _ESRGAN) else 1.0


def with_exact_input(network: nn.Module, info: CheckpointInfo) -> nn.Module:
    """The network for input scaled by ``input_scale``; its weights are changed in place.

    Architectures whose first convolution is not known by name come back as they are.
    """
    if info.architecture == _COMPACT:
        _scale(network.body[0])  # type: ignore[index]
        return _compact(network)
    if info.architecture == _ESRGAN:
        _scale(network.model[0])  # type: ignore[index]
        network.model[1] = _trunk(network.model[1])  # type: ignore[index,operator]
    return network


def operations_in_fp32(info: CheckpointInfo) -> str | None:
    """A regular expression of the traced names of what must stay in fp32 within a network run in 16 bits."""
    return r"__module\.model\.1/aten::(mul|add)_?/\w+" if info.architecture == _ESRGAN else None


def _scale(convolution: Any) -> None:
    convolution.weight.data.mul_(_BACK)


def _compact(network: Any) -> nn.Module:
    from torch import nn
    from torch.nn.functional import interpolate

    class Compact(nn.Module):
        """SRVGGNetCompact with its last addition in fp32."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.upsampler, self.upscale = network.body, network.upsampler, network.upscale

        def forward(self, pixels: Tensor) -> Tensor:
            maps = pixels
            for layer in self.body:
                maps = layer(maps)
            base = interpolate(pixels, scale_factor=self.upscale, mode="nearest")
            residual: Tensor = self.upsampler(maps).float()
            return residual + base.float() * _BACK

    return Compact().eval()


def _trunk(shortcut: Any) -> nn.Module:
    from torch import nn

    class Trunk(nn.Module):
        """RRDBNet's blocks, their sum in fp32."""

        def __init__(self) -> None:
            super().__init__()
            self.sub = shortcut.sub

        def forward(self, maps: Tensor) -> Tensor:
            *blocks, last = self.sub
            total = maps.float()
            for block in blocks:
                residual = block.RDB3(block.RDB2(block.RDB1(total.to(maps.dtype))))
                total = total + residual.float() * 0.2
            result: Tensor = maps + last(total.to(maps.dtype))
            return result

    return Trunk().eval()
