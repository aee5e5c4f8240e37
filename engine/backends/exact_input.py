"""What a network in a 16-bit number type must not round: eight-bit pixels, the sum that its blocks add to, its output.

bfloat16 holds eight significant bits, and of the 256 values ``k / 255`` it rounds nearly every one *up*: pictures came
out 0.2 to 0.3 of 255 too bright, a shift that no blending takes away. ``k / 256`` it holds exactly. So pictures are
scaled by 255 / 256 in fp32, and the first convolution's weights by 256 / 255; a network that adds its enlarged input at
the end does that in fp32. Measured with published compact weights against fp32: 51.4 dB before, 54.6 dB with it, the
shift down from 0.30 to 0.15 (``rounding`` takes the rest); nothing is slower.

ESRGAN's 23 blocks add to one map, a fifth of each one's result at a time. Rounded 23 times, that map alone kept
pictures below 49 dB; in fp32 it costs next to nothing, while all that is multiplied stays in 16 bits. Its first
convolution, a thousandth of the work, stays in fp32, and what is added within the blocks has its bias in fp32: with
published weights torch's colours shift by 0.02 of 255 instead of 0.25.

The last convolution's bias lifts its output to where pictures lie, and there bfloat16's steps are as coarse as those of
eight bits: rounded twice, bright pixels came out darker. So this bias is added in fp32.

SPAN subtracts a mean that no narrow type holds, and multiplies all that the picture is by attention, six times. Its two
smallest convolutions, the mean and these products are in fp32; its pixels come as 0..255. With published weights that
makes 50 dB out of 26.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from engine.models.info import CheckpointInfo

_COMPACT = "RealESRGAN Compact"
_ESRGAN = "ESRGAN"
_SPAN = "SPAN"
BACK = 256 / 255


def input_scale(info: CheckpointInfo) -> float:
    """What pixels in 0..1 are multiplied by before they enter a network that ``with_exact_input`` returned."""
    return {_COMPACT: 255 / 256, _ESRGAN: 255 / 256, _SPAN: 255.0}.get(info.architecture, 1.0)


def with_exact_input(network: nn.Module, info: CheckpointInfo) -> nn.Module:
    """The network for input scaled by ``input_scale``; its weights are changed in place.

    Architectures whose first convolution is not known by name come back as they are.
    """
    parts: Any = network
    if info.architecture == _COMPACT:
        _scale(parts.body[0])
        parts.body[-1] = _last(parts.body[-1])
        return _compact(parts)
    if info.architecture == _SPAN:
        return _span(parts)
    if info.architecture == _ESRGAN:
        _scale(parts.model[0])
        # ESRGAN+ has more paths within its blocks: these stay as they are.
        if all(getattr(block.RDB1, "conv1x1", None) is None for block in [*parts.model[1].sub][:-1]):
            parts.model[0] = _in_fp32(parts.model[0])
            parts.model[1] = _trunk(parts.model[1])
        parts.model[-1] = _last(parts.model[-1])
    return network


def operations_in_fp32(info: CheckpointInfo) -> str | None:
    """A regular expression of the traced names of what must stay in fp32 within a network run in 16 bits."""
    return r"__module\.model\.1/aten::(mul|add)_?/\w+" if info.architecture == _ESRGAN else None


def scalable_pairs(network: nn.Module, info: CheckpointInfo) -> list[tuple[nn.Conv2d, list[tuple[nn.Conv2d, int]]]]:
    """Convolutions whose channels may be scaled if whoever reads them is scaled back: what lies between is
    homogeneous (leaky or parametric rectifiers, enlarging).

    Args:
        network: as ``with_exact_input`` returned it.

    Returns:
        (convolution, [(reader, the reader's input channel that the convolution's first one is)]).
    """
    parts: Any = network
    if info.architecture == _COMPACT:
        return _pairs_in_a_row([*parts.body])
    if info.architecture != _ESRGAN:
        return []
    pairs = _pairs_in_a_row([*parts.model][2:])
    for block in getattr(parts.model[1], "dense", ()):
        convolutions = [block.conv1[0], block.conv2[0], block.conv3[0], block.conv4[0], block.conv5.convolution]
        at = convolutions[0].in_channels
        for index, convolution in enumerate(convolutions[:-1]):
            pairs.append((convolution, [(reader, at) for reader in convolutions[index + 1 :]]))
            at += convolution.out_channels
    return pairs


def _pairs_in_a_row(modules: list[nn.Module]) -> list[tuple[nn.Conv2d, list[tuple[nn.Conv2d, int]]]]:
    from torch import nn

    pairs, before = [], None
    for module in modules:
        convolution = getattr(module, "convolution", module)
        if isinstance(convolution, nn.Conv2d):
            if before is not None:
                pairs.append((before, [(convolution, 0)]))
            before = convolution
        elif not isinstance(module, nn.PReLU | nn.LeakyReLU | nn.ReLU | nn.Upsample):
            before = None
    return pairs


def _scale(convolution: nn.Conv2d) -> None:
    convolution.weight.data.mul_(BACK)


def _compact(network: Any) -> nn.Module:
    from torch import nn
    from torch.nn.functional import interpolate, pixel_unshuffle

    unshuffle = int(getattr(network, "unshuffle", 1))

    class Compact(nn.Module):
        """SRVGGNetCompact with its last addition in fp32."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.upsampler, self.upscale = network.body, network.upsampler, network.upscale

        def forward(self, pixels: Tensor) -> Tensor:
            maps = pixel_unshuffle(pixels, unshuffle) if unshuffle > 1 else pixels
            for layer in self.body:
                maps = layer(maps)
            base = interpolate(pixels, scale_factor=self.upscale, mode="nearest")
            residual: Tensor = self.upsampler(maps)
            return residual + base.float() * BACK

    return Compact().eval()


def _last(convolution: Any) -> nn.Module:
    import torch
    from torch import nn
    from torch.nn.functional import prelu

    class Last(nn.Module):
        """A convolution whose bias is added in fp32; the output is fp32."""

        def __init__(self) -> None:
            super().__init__()
            self.convolution = convolution
            self.high: Tensor
            self.low: Tensor
            self.one: Tensor
            bias = convolution.bias.data.view(1, -1, 1, 1)
            convolution.bias = None
            # In two parts, so that it survives ``Module.to(bfloat16)``.
            self.register_buffer("high", bias.bfloat16().to(bias.dtype))
            self.register_buffer("low", bias - self.high)
            self.register_buffer("one", torch.ones(1))

        def forward(self, maps: Tensor) -> Tensor:
            # Nothing happens in ``prelu`` with a slope of one. Without it OpenVINO takes what is added for a bias, and
            # rounds it; with it the addition is part of the convolution all the same.
            product = prelu(self.convolution(maps).float(), self.one.float())
            result: Tensor = product + (self.high.float() + self.low.float())
            return result

    return Last().eval()


def _in_fp32(convolution: Any) -> nn.Module:
    from torch import nn

    class InFp32(nn.Module):
        """A convolution that stays in fp32 whatever its network is converted to."""

        def __init__(self) -> None:
            super().__init__()
            self.convolution = convolution
            convolution.stays_fp32 = True

        def _apply(self, change: Callable[[Tensor], Tensor], recurse: bool = True) -> InFp32:
            kept = {name: value.data for name, value in self.convolution.named_parameters()}
            super()._apply(change, recurse)
            for name, value in self.convolution.named_parameters():
                value.data = kept[name].to(value.device)
            return self

        def forward(self, maps: Tensor) -> Tensor:
            result: Tensor = self.convolution(maps.float())
            return result

    return InFp32().eval()


def _span(network: Any) -> nn.Module:
    import torch
    from torch import nn
    from torch.nn.functional import silu

    def merged(branches: Any) -> nn.Conv2d:
        branches.update_params()
        return branches.eval_conv

    class Span(nn.Module):
        """SPAN with its branches merged once, its attention in fp32."""

        def __init__(self) -> None:
            super().__init__()
            self.mean = network.mean.flatten().tolist() if network.is_norm else None
            self.first, self.joining = _in_fp32(merged(network.conv_1)), _in_fp32(network.conv_cat)
            blocks = [getattr(network, f"block_{number}") for number in range(1, 7)]
            self.early = nn.ModuleList(merged(block.c1_r) for block in blocks)
            self.middle = nn.ModuleList(merged(block.c2_r) for block in blocks)
            self.deep = nn.ModuleList(_last(merged(block.c3_r)) for block in blocks)
            self.second, self.upsampling = merged(network.conv_2), _last(network.upsampler[0])
            self.shuffle = network.upsampler[1]

        def forward(self, pixels: Tensor) -> Tensor:
            kind, pixels = pixels.dtype, pixels.float()
            if self.mean is None:
                first = self.first(pixels / 255)
            else:
                mean = torch.tensor(self.mean, dtype=torch.float32, device=pixels.device)
                first = self.first(pixels - 255 * mean.view(1, -1, 1, 1))
            maps, early, seen = first, first, [first]
            for one, two, three in zip(self.early, self.middle, self.deep, strict=True):
                early = silu(one(maps.to(kind)))
                deep = three(silu(two(early)))
                maps = (deep + maps) * (deep.sigmoid() - 0.5)
                seen.append(maps)
            joined = torch.cat([first, self.second(maps.to(kind)).float(), seen[1], early.float()], 1)
            result: Tensor = self.shuffle(self.upsampling(self.joining(joined).to(kind)))
            return result

    return Span().eval()


def _trunk(shortcut: Any) -> nn.Module:
    import torch
    from torch import nn

    def dense(block: Any, maps: Tensor) -> Tensor:
        """A residual dense block whose last convolution holds the factor of 0.2; from fp32 to fp32."""
        seen = [maps.to(block.conv1[0].weight.dtype)]
        for convolution in (block.conv1, block.conv2, block.conv3, block.conv4):
            seen.append(convolution(torch.cat(seen, 1)))
        result: Tensor = block.conv5(torch.cat(seen, 1)) + maps.float()
        return result

    class Trunk(nn.Module):
        """RRDBNet's blocks, their sum in fp32."""

        def __init__(self) -> None:
            super().__init__()
            *blocks, last = shortcut.sub
            self.last = _last(last)
            parts = [part for block in blocks for part in (block.RDB1, block.RDB2, block.RDB3)]
            self.dense = nn.ModuleList(parts)
            for block in parts:
                # A factor that the runtime multiplies into rounded weights would round them anew.
                block.conv5[0].weight.data.mul_(0.2)
                block.conv5[0].bias.data.mul_(0.2)
                block.conv5 = _last(block.conv5[0])

        def forward(self, maps: Tensor) -> Tensor:
            total = maps.float()
            for first in range(0, len(self.dense), 3):
                residual = total
                for block in self.dense[first : first + 3]:
                    residual = dense(block, residual)
                total = total + residual * 0.2
            kind = next(self.last.parameters()).dtype
            result: Tensor = (maps + self.last(total.to(kind))).to(kind)
            return result

    return Trunk().eval()
