"""The recipe trains, goes on where it stopped, and makes what the engine loads."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.networks import photograph
from training.data import Pairs, degrade, drawing, turn_colors


@pytest.fixture(scope="module")
def pairs():
    return Pairs([photograph(200, 260), photograph(300, 220, seed=9)], batch=4, patch=16)


def test_batches_follow_from_their_number(pairs):
    worn, sharp = pairs.batch(7)
    again = pairs.batch(7)
    assert worn.shape == (4, 16, 16, 3) and sharp.shape == (4, 64, 64, 3) and worn.dtype == np.uint8
    np.testing.assert_array_equal(worn, again[0])
    np.testing.assert_array_equal(sharp, again[1])
    assert (pairs.batch(8)[1] != sharp).any()


def test_worn_patches_keep_place_and_colour():
    """Whatever was done to a patch, its average colour stays: a shifted or tinted pair would teach that."""
    sharp = photograph(64, 64)
    for seed in range(30):
        worn = degrade(np.random.default_rng(seed), sharp)
        assert worn.shape == (16, 16, 3)
        assert np.abs(worn.mean((0, 1)) - sharp.mean((0, 1))).max() < 6


def test_turned_colours_keep_detail_but_move_it_between_the_channels():
    """Brightness no longer tells where the edges are: what it held is found in other directions of colour."""
    gray = photograph(96, 96)
    gray = np.repeat(gray.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    turned = [turn_colors(np.random.default_rng(seed), gray) for seed in range(12)]
    assert all(one.shape == gray.shape and one.dtype == np.uint8 for one in turned)
    brightness = [one.mean(axis=2).std() / one.astype(float).std(axis=(0, 1)).max() for one in turned]
    assert min(brightness) < 0.3 < max(brightness)
    detail = gray[..., 0].astype(float)
    for one in turned:
        strongest = one[..., one.astype(float).std(axis=(0, 1)).argmax()].astype(float)
        assert abs(np.corrcoef(strongest.ravel(), detail.ravel())[0, 1]) > 0.95


def test_a_linear_path_takes_the_steps_out_of_edges_that_the_network_does_not_know(pairs):
    """A network that never learned adds nothing to repeated pixels; with the path its last layer interpolates."""
    import torch

    from training.linear_path import as_tensor, fit_last_layer
    from training.train import build

    torch.manual_seed(0)
    network = build(features=16, convs=2)  # the path is part of how a network begins
    worn, sharp = (as_tensor(pixels) for pixels in pairs.batch(0))
    with torch.no_grad():
        features = worn
        for module in network.body[:-1]:
            features = module(features)
        carried = [(features - worn[:, channel : channel + 1]).abs().amax(dim=(0, 2, 3)).min() for channel in range(3)]
        assert max(carried) < 1e-6, "three of the last layer's inputs are the picture"
        network.body[-1].weight.zero_()
        network.body[-1].bias.zero_()
        before = ((network(worn) - sharp) ** 2).mean()
        fit_last_layer(network, ((as_tensor(a), as_tensor(b)) for a, b in (pairs.batch(step) for step in range(20))))
        after = ((network(worn) - sharp) ** 2).mean()
    assert after < 0.9 * before


def test_drawings_are_drawn_not_noise():
    made = [drawing(np.random.default_rng(seed), 96) for seed in range(8)]
    assert all(picture.shape == (96, 96, 3) for picture in made)
    assert len({picture.tobytes() for picture in made}) == 8
    steps = np.concatenate([np.abs(np.diff(picture.astype(int), axis=1)).ravel() for picture in made])
    assert (steps <= 2).mean() > 0.6, "most of a drawing is flat or a gradient"


def test_training_learns_resumes_and_gives_a_checkpoint_that_loads(pairs, tmp_path):
    import torch

    from engine.models.checkpoints import inspect_checkpoint
    from training.train import Trainer

    threads = torch.get_num_threads()
    trainer = Trainer(tmp_path, "cpu", minutes=1)
    losses = [trainer.learn(*pairs.batch(step % 2)) for step in range(150)]
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])
    trainer.save()
    again = Trainer(tmp_path, "cpu", minutes=1)
    assert again.step == 150
    for key, value in trainer.average.items():
        torch.testing.assert_close(again.average[key], value)
    info = inspect_checkpoint(tmp_path / "average.safetensors")
    assert (info.scale, info.receptive_radius, info.parameters) == (4, 18, 621424)
    assert (tmp_path / "average.safetensors").stat().st_size < 3_000_000
    assert torch.get_num_threads() == threads

    longer = Trainer(tmp_path / "longer", "cpu", 1, begin_with=tmp_path / "average.safetensors", peak_rate=2e-4)
    assert longer.step == 0
    for key, value in trainer.average.items():
        torch.testing.assert_close(longer.average[key], value.half().float())
    longer.learn(*pairs.batch(0))
    assert longer.rate() == pytest.approx(2e-6, rel=0.05), "warms up to a rate of its own"
