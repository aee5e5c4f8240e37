"""Whether a lock is held: known to all who ask, and in nobody's way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from filelock import FileLock

from engine.batch.journal import LOCK_NAME, Journal, is_running
from utils.locks import is_held


def test_it_is_held_from_acquire_to_release(tmp_path):
    lock = FileLock(tmp_path / "one.lock")
    assert not is_held(tmp_path / "one.lock"), "there is not even a file"
    with lock:
        assert is_held(tmp_path / "one.lock")
    assert not is_held(tmp_path / "one.lock")


def test_those_who_ask_at_the_same_time_do_not_take_each_other_for_its_holder(tmp_path):
    with Journal(tmp_path):
        assert is_running(tmp_path)
    together = threading.Barrier(8)

    def ask() -> list[bool]:
        together.wait()
        return [is_running(tmp_path) for _ in range(300)]

    with ThreadPoolExecutor(8) as threads:
        answers = [thread.result() for thread in [threads.submit(ask) for _ in range(8)]]
    assert not any(any(one) for one in answers)


def test_a_batch_begins_while_somebody_asks(tmp_path):
    with Journal(tmp_path):
        pass
    ended = threading.Event()

    def ask() -> int:
        count = 0
        while not ended.is_set():
            is_held(tmp_path / LOCK_NAME)
            count += 1
        return count

    with ThreadPoolExecutor(2) as threads:
        asking = [threads.submit(ask) for _ in range(2)]
        try:
            for _ in range(200):
                with Journal(tmp_path):
                    pass
        finally:
            ended.set()
        assert all(one.result() for one in asking)
