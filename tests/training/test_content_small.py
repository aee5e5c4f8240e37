"""Being sure is calibrated: logits are cooled until those that are sure are right at least as often as they state."""

import numpy as np
import pytest

from engine.analysis.content import SMALL, WEIGHTS, read
from training import content
from training.content_small import MARGIN, _reduced_and_stored, cooled, find_temperature, logits, stated_by


def test_overconfident_logits_are_cooled_until_they_keep_their_word():
    random = np.random.default_rng(0)
    honest = random.normal(0, 2.5, 20_000)
    labels = (random.random(honest.size) < 1 / (1 + np.exp(-honest))).astype(int)
    boasting = honest * 2
    temperature = find_temperature(boasting, labels)
    assert 2 <= temperature < 3
    stated, right = stated_by(boasting, temperature), (boasting >= 0) == labels
    sure = stated >= 0.8
    assert right[sure].mean() >= stated[sure].mean() + MARGIN


def test_weights_without_worth_are_refused():
    random = np.random.default_rng(0)
    with pytest.raises(SystemExit, match="nothing was written"):
        find_temperature(random.normal(0, 9, 5000), random.integers(0, 2, 5000))


def test_cooled_weights_give_cooler_logits():
    random = np.random.default_rng(0)
    weights = {"mean": np.zeros(5), "spread": np.ones(5), "weight_0": random.normal(size=(2, 5, 3))}
    weights |= {
        "bias_0": random.normal(size=(2, 3)),
        "weight_1": random.normal(size=(2, 3, 1)),
        "bias_1": np.ones((2, 1)),
    }
    features = random.normal(size=(4, 5))
    assert logits(cooled(weights, 2.0), features) == pytest.approx(logits(weights, features) / 2, rel=1e-5)


def test_either_weights_are_stored_beside_the_others(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    path.write_bytes(WEIGHTS.read_bytes())
    monkeypatch.setattr(content, "WEIGHTS", path)
    made = {"mean": np.zeros(3), "spread": np.ones(3), "weight_0": np.ones((1, 3, 1)), "bias_0": np.zeros((1, 1))}
    content.store(made, SMALL)
    assert len(read(path, SMALL).mean) == 3
    assert (read(path).mean == read(WEIGHTS).mean).all()


def test_samples_are_small_whatever_the_scene():
    random = np.random.default_rng(0)
    scene = random.integers(0, 256, (300, 500, 3), dtype=np.uint8)
    for _ in range(20):
        made = _reduced_and_stored(random, scene)
        assert made.dtype == np.uint8 and made.shape[2] == 3 and 72 <= max(made.shape) <= 448
