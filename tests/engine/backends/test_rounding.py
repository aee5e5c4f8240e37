"""Networks in 16-bit number types: weights are rounded so that colours stay, and sums that grow long are in fp32."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.networks import photograph, write_rrdbnet
from engine.backends import get_backend
from engine.backends.exact_input import input_scale, scalable_pairs, with_exact_input
from engine.backends.rounding import round_kernels, round_network, rounded
from engine.models import architectures, checkpoints
from tests import checkpoints as made

STATES = {
    "compact": made.compact_state,
    "quick-x2": made.quick_state,
    "rrdb": made.rrdb_state,
    "rrdb-x2": lambda: made.rrdb_state(scale=2),
}


def network_with_biases(kind):
    network, info = architectures.load_network(STATES[kind]())
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.bias, std=0.1)
    return network.eval(), info


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_become_values_of_the_type_and_every_kernel_keeps_its_sum(precision):
    weight = (np.random.default_rng(0).normal(size=(32, 16, 3, 3)) / 12).astype(np.float32)
    held, nearest = round_kernels(weight, precision), rounded(weight, precision)
    assert np.array_equal(held, rounded(held, precision))
    assert np.abs(held - weight).max() < 2.5 * np.abs(nearest - weight).max()

    def sums(values):
        return np.abs((values - weight).astype(np.float64).sum((2, 3))).mean()

    assert sums(held) < sums(nearest) / 5


@pytest.mark.parametrize("kind", STATES)
def test_channels_are_scaled_until_their_biases_are_exact_and_the_network_gives_what_it_gave(kind, monkeypatch):
    network, info = network_with_biases(kind)
    torch.manual_seed(0)
    pixels = torch.rand(1, 3, 24, 20)
    with torch.inference_mode():
        expected = network(pixels)
        exact = with_exact_input(network, info)
        monkeypatch.setattr("engine.backends.rounding.round_kernels", lambda weight, precision: weight)
        round_network(exact, info, "bf16")
        result = exact(pixels * input_scale(info))
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-4)
    pairs = scalable_pairs(exact, info)
    assert pairs
    for convolution, _ in pairs:
        assert torch.equal(convolution.bias, convolution.bias.bfloat16().float())


@pytest.mark.parametrize("way", ["built", "traced"])
def test_blocks_add_to_a_sum_in_fp32(tmp_path, way):
    """In OpenVINO's own words: the operations that really ran, while convolutions ran in bf16."""
    if "bf16" not in get_backend("openvino").precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    from engine.backends.base import NetworkSource
    from engine.backends.openvino_models import load_converted
    from utils.openvino import openvino

    path = tmp_path / "blocks.pth"
    write_rrdbnet(path, blocks=2)
    state = checkpoints.load_state_dict(path)
    info = architectures.load_network(state)[1]
    arrays = {key: value.numpy() for key, value in state.items()} if way == "built" else None
    key = f"{way:0<40}"
    source = NetworkSource(
        "blocks", key, info, lambda: architectures.load_network(state)[0], lambda: state, lambda: arrays
    )
    sums = "fp32/Add" if way == "built" else "__module.model.1/aten::add"
    for cache in (None, tmp_path):
        core = openvino.Core()
        model = load_converted(core, source, cache, "bf16")
        model.reshape([1, 3, 32, 32])
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
        kinds: dict[str, set[str]] = {"trunk": set(), "convolution": set()}
        for operation in compiled.get_runtime_model().get_ops():
            facts = {key: str(value.astype(str)) for key, value in operation.get_rt_info().items()}
            names = facts.get("originalLayersNames", "")
            if facts.get("layerType") == "Convolution":
                kinds["convolution"].add(facts["runtimePrecision"])
            elif sums in names:
                kinds["trunk"].add(facts["outputPrecisions"])
        # Of a graph built from its weights the first convolution runs in fp32 too: it is a thousandth of the work.
    assert kinds == {"trunk": {"f32"}, "convolution": {"bf16", "f32"} if way == "built" else {"bf16"}}


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_bf16_shifts_no_color(backend, tmp_path):
    if "bf16" not in get_backend(backend).precisions("cpu"):
        pytest.skip("this CPU has no bf16 units")
    from engine.model_manager import ModelManager

    write_rrdbnet(tmp_path / "blocks.pth", blocks=4)
    manager = ModelManager({}, tmp_path, cache_dir=tmp_path, bundled_dir=None, optimize=False, device="cpu")
    pixels = photograph(48, 48)[None].astype(np.float32) / 255
    exact, rounded = (
        np.clip(manager.load_model("blocks", backend=name, precision=precision).session.infer(pixels), 0, 1)
        for name, precision in (("torch", "fp32"), (backend, "bf16"))
    )
    manager.close()
    error = (rounded.astype(np.float64) - exact) * 255
    print(f"{backend}: {10 * np.log10(255**2 / np.square(error).mean()):.1f} dB, shift {error.mean((0, 1, 2))}")
    assert np.abs(error.mean((0, 1, 2))).max() < 0.1
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 48
