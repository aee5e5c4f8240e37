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
            check(target)  # a kill may come between a result and its line in the journal
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
        check(target)

    before = len(entries(target))
    last = context.Process(target=killable.run, args=(str(source), str(target)))
    last.start()
    last.join(120)
    assert last.exitcode == 0
    check_complete(target, before)
    print(f"{kills} kills in {rounds} rounds")


def entries(target) -> list[dict[str, str]]:
    """The lines of the journal; the line in which a kill fell is none."""
    found = []
    for line in (target / JOURNAL_NAME).read_text().splitlines() if (target / JOURNAL_NAME).exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def inputs(lines: list[dict[str, str]], event: str) -> list[str]:
    return [line["input"] for line in lines if line["event"] == event]


def check(target) -> None:
    """Whatever has a name is whole; the journal never finishes a picture twice."""
    for path in target.glob("*.png") if target.exists() else ():
        with Image.open(path) as image:
            image.load()
            assert image.size == (320, 240)
    done = Counter(inputs(entries(target), "done"))
    assert all(count == 1 for count in done.values()), done


def check_complete(target, before: int) -> None:
    """Everything is there. ``before``: lines of the journal before the last run, which was not killed."""
    check(target)
    lines = entries(target)
    assert sorted(path.stem for path in target.glob("*.png")) == [f"{index:02}_x2" for index in range(PICTURES)]
    assert sorted(inputs(lines[before:], "started")) == sorted(inputs(lines[before:], "done"))
    # A result whose "done" a kill prevented is known by its "started", and is not made again.
    assert len({*inputs(lines, "started"), *inputs(lines, "done")}) == PICTURES
    assert not list(target.glob("*.part")) and not list(target.glob(".*.part"))
