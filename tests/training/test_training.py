"""The recipe trains, goes on where it stopped, and makes what the engine loads."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.networks import photograph
from training.data import Pairs, degrade, drawing


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


def test_drawings_are_drawn_not_noise():
    made = [drawing(np.random.default_rng(seed), 96) for seed in range(8)]
    assert all(picture.shape == (96, 96, 3) for picture in made)
    assert len({picture.tobytes() for picture in made}) == 8
    steps = np.concatenate([np.abs(np.diff(picture.astype(int), axis=1)).ravel() for picture in made])
    assert (steps <= 2).mean() > 0.6, "most of a drawing is flat or a gradient"


def test_training_learns_resumes_and_gives_a_checkpoint_that_loads(pairs, tmp_path):
    import torch

    from engine.checkpoints import inspect_checkpoint
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
