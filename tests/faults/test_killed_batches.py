"""Batches killed at random instants and started again, until one ends: everything there, whole, and nothing twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from engine.batch import JOURNAL_NAME
from tests.faults import killable

KILLS = int(os.environ.get("REALESRGAN_TEST_KILLS", "12"))
PICTURES = 12


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and the fork server are POSIX things")
@pytest.mark.timeout(1800)
def test_killed_at_random_instants_and_resumed(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    rng = np.random.default_rng(5)
    for index in range(PICTURES):
        noise = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
        Image.fromarray(noise).save(source / f"{index:02}.png")

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.killable", "engine.processor", "PIL.Image", "cv2"])
    chance = random.Random(7)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        assert rounds < 20 * KILLS, "hardly any kill landed inside a batch"
        if not target.exists() or len(list(target.glob("*.png"))) == PICTURES:
            check(target, complete=False)  # a kill may come between a result and its line in the journal
            for path in target.glob("*") if target.exists() else ():
                path.unlink()
            (target / JOURNAL_NAME).unlink(missing_ok=True)
        process = context.Process(target=killable.run, args=(str(source), str(target)))
        process.start()
        process.join(chance.uniform(0.05, 1.2))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
        check(target, complete=False)

    last = context.Process(target=killable.run, args=(str(source), str(target)))
    last.start()
    last.join(120)
    assert last.exitcode == 0
    check(target, complete=True)
    print(f"{kills} kills in {rounds} rounds")


def check(target, *, complete: bool) -> None:
    """Whatever has a name is whole; the journal never finishes a picture twice."""
    results = sorted(target.glob("*.png")) if target.exists() else []
    for path in results:
        with Image.open(path) as image:
            image.load()
            assert image.size == (320, 240)
    journal = target / JOURNAL_NAME
    done: Counter[str] = Counter()
    if journal.exists():
        for line in journal.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the line in which the kill fell
            if entry.get("state") == "done" or entry.get("event") == "done":
                done[json.dumps([entry.get("input"), entry.get("output"), entry.get("id")])] += 1
    assert all(count == 1 for count in done.values()), done
    if complete:
        assert [path.stem for path in results] == [f"{index:02}_x2" for index in range(PICTURES)]
        assert sum(done.values()) == PICTURES
        assert [path for path in target.iterdir() if path.name.endswith(".part")] == []
