"""Eight-bit pixels enter 16-bit networks unrounded, so that pictures do not come out brighter than in fp32."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.networks import photograph
from engine.backends import get_backend
from engine.backends.base import NetworkSource
from engine.backends.exact_input import input_scale, with_exact_input
from engine.models import architectures
from tests import checkpoints as made

EVERY_VALUE = np.arange(256, dtype=np.float32) / np.float32(255)


def test_every_eight_bit_value_is_exact_in_bfloat16_once_scaled():
    import torch

    scaled = torch.from_numpy(EVERY_VALUE * np.float32(255 / 256))
    np.testing.assert_array_equal(scaled.bfloat16().float().numpy(), np.arange(256, dtype=np.float32) / 256)


def test_without_the_scale_values_are_rounded_up_which_is_why_it_exists():
    import torch

    errors = (torch.from_numpy(EVERY_VALUE).bfloat16().float().numpy() - EVERY_VALUE) * 255
    assert errors.min() > -0.01 and errors.mean() > 0.15


@pytest.mark.parametrize(
    ("state", "scale"),
    [
        (made.compact_state(), 255 / 256),
        (made.quick_state(), 255 / 256),
        (made.rrdb_state(), 255 / 256),
        (made.rrdb_state(scale=2), 255 / 256),
        (made.span_state(), 255),
    ],
    ids=["compact", "quick-x2", "rrdb", "rrdb-x2", "span"],
)
def test_in_fp32_the_network_gives_what_it_gave(state, scale):
    import torch

    torch.manual_seed(0)
    pixels = torch.rand(1, 3, 24, 20)
    network, info = architectures.load_network(state)
    with torch.inference_mode():
        expected = network(pixels)
        changed = with_exact_input(network, info)(pixels * input_scale(info))
    assert input_scale(info) == scale
    torch.testing.assert_close(changed, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_a_network_that_repeats_pixels_repeats_them_exactly_in_bfloat16(manager, backend):
    """Its last addition is in fp32: all 256 values come back as they went in."""
    if "bf16" not in get_backend(backend).precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    session = manager.load_model("neutral-x4", backend=backend, precision="bf16").session
    picture = np.repeat(EVERY_VALUE.reshape(1, 16, 16, 1), 3, axis=3)
    output = session.infer(picture)
    np.testing.assert_allclose(output, picture.repeat(4, 1).repeat(4, 2), atol=1e-6)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_span_in_a_narrow_type_keeps_its_mean_and_its_attention_in_fp32(precision):
    import torch

    state = made.span_state(features=48)
    network, info = architectures.load_network(state)
    source = NetworkSource("span", "span", info, lambda: architectures.load_network(state)[0], lambda: state)
    picture = photograph(40, 48)[None].astype(np.float32) / 255
    pixels = torch.from_numpy(picture).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = network(pixels)
        narrow = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        plain = architectures.load_network(state)[0].to(narrow)(pixels.to(narrow)).float()
    result = get_backend("torch").open(source, "cpu", precision, None).infer(picture)
    ours, theirs = (
        float(np.square(output - expected.permute(0, 2, 3, 1).numpy()).mean())
        for output in (result, plain.permute(0, 2, 3, 1).numpy())
    )
    print(f"{-10 * np.log10(ours):.1f} dB, converted as it is {-10 * np.log10(theirs):.1f} dB")
    assert ours < theirs / 3
