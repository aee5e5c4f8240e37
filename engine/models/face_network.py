"""Face networks as the backends take them: an aligned crop in 0..1 in, the restored one in 0..1 out, nothing random."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor
    from torch import Tensor, nn

CROP_SIDE = 512
"""Pixels of the aligned crops that face networks take and give."""
_GFPGAN_KEYS = ("toRGB.0.weight", "stylegan_decoder.style_mlp.1.weight")
_LAYERS = 16
"""Layers of the decoder at 512 pixels, each with a style vector of its own."""


def is_gfpgan(state: dict[str, Tensor]) -> bool:
    """Whether a state dict is of the GFPGANv1Clean family."""
    return all(key in state for key in _GFPGAN_KEYS)


def open_gfpgan(state: dict[str, Tensor]) -> ImageModelDescriptor[nn.Module]:
    """A spandrel descriptor of a GFPGANv1Clean of any width; spandrel's own loader knows only the published one.

    Raises:
        KeyError, RuntimeError: the tensors do not fit.
    """
    from spandrel import ImageModelDescriptor, SizeRequirements
    from spandrel.architectures.GFPGAN import GFPGAN, GFPGANArch

    narrow = state["final_conv.weight"].shape[0] / 256
    wide = state["conv_body_first.weight"].shape[0]
    network = GFPGAN(
        num_style_feat=state["final_linear.weight"].shape[0] // _LAYERS,
        channel_multiplier=max(1, round(wide / (16 * narrow))),
        num_mlp=sum(
            key.startswith("stylegan_decoder.style_mlp.") and key.endswith(".weight")  # the first module has none
            for key in state
        ),
        narrow=narrow,
    )
    return ImageModelDescriptor(
        network,
        state,
        architecture=GFPGANArch(),
        purpose="FaceSR",
        tags=[],
        supports_half=False,
        supports_bfloat16=True,
        scale=1,
        input_channels=3,
        output_channels=3,
        size_requirements=SizeRequirements(minimum=512),
    )


def as_face_network(descriptor: ImageModelDescriptor[nn.Module]) -> nn.Module:
    """The descriptor's network with ``(N, 3, 512, 512)`` in 0..1 at both ends.

    GFPGAN works in -1..1 and draws fresh noise at every run; here it uses the noise stored in the checkpoint, so that
    a picture restored twice is the same picture.
    """
    from torch import nn

    is_gfpgan = descriptor.architecture.id == "GFPGAN"

    class FaceNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = descriptor.model

        def forward(self, crops: Tensor) -> Tensor:
            if is_gfpgan:
                restored = self.network(crops * 2 - 1, return_rgb=False, randomize_noise=False)[0]
                return (restored.clamp(-1, 1) + 1) / 2
            output: Tensor = descriptor(crops)
            return output

    return FaceNetwork().eval()
