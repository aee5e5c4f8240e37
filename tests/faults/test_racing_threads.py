"""Sixteen threads load, enhance and unload at once, switched far more often than in life; the pictures stay right."""

from __future__ import annotations

import os
import random
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from engine.model_manager import ModelManager
from engine.processor import enhance_file
from engine.types import EnhanceSettings
from tests.waiting import LONG

SECONDS = float(os.environ.get("REALESRGAN_TEST_RACE_SECONDS", "5"))
MODELS = ("tiny-x4", "tiny-x2", "neutral-x4")


@pytest.fixture
def hurried():
    """Python changes threads every few microseconds: what can come between two steps does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("policy", ["keep", "after-picture", 1])
def test_mixed_load_enhance_and_unload(hurried, weights, config, tmp_path, scene, policy):
    source = tmp_path / "in.png"
    Image.fromarray(scene[:30, :40]).save(source)
    manager = ModelManager(
        {}, weights, cache_dir=tmp_path / "cache", bundled_dir=None, optimize=False, device="cpu", unload_policy=policy
    )
    settings = {name: EnhanceSettings(model=name, precision="fp32", backend="torch") for name in MODELS}
    expected = {}
    for name in MODELS:
        enhance_file(source, tmp_path / f"{name}.png", settings[name], manager=manager, config=config)
        expected[name] = np.asarray(Image.open(tmp_path / f"{name}.png"))

    errors: list[BaseException] = []
    done = [0] * 16
    stop = time.monotonic() + SECONDS / 3

    def work(number: int) -> None:
        chance = random.Random(number)
        target = tmp_path / f"thread-{number}.png"
        try:
            while (time.monotonic() < stop or not done[number]) and not errors:
                name = chance.choice(MODELS)
                action = chance.random()
                if action < 0.2:
                    manager.unload_model(name)
                elif action < 0.25:
                    manager.unload_all()
                elif action < 0.45:
                    assert manager.load_model(name, fp32=True, backend="torch").name == name
                elif action < 0.5:
                    manager.status()
                    manager.list()
                else:
                    enhance_file(source, target, settings[name], manager=manager, config=config, overwrite=True)
                    np.testing.assert_array_equal(np.asarray(Image.open(target)), expected[name])
                done[number] += 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in threads), "threads wait for each other for ever"
    if errors:
        raise errors[0]
    assert all(done)
    manager.close()
    assert manager.status() == {}
