"""The network goes to the earliest picture first, and never to more windows than it takes."""

from __future__ import annotations

import threading
import time

import pytest

from engine.jobs.network_queue import NetworkQueue, NetworkTime
from tests.waiting import LONG, until


def test_the_lowest_rank_goes_first_and_time_in_use_is_counted():
    turns, order = NetworkQueue(), []

    def take(rank):
        with turns.turn(rank, 1):
            order.append(rank)

    with turns.turn(0, 1):
        threads = [threading.Thread(target=take, args=(rank,)) for rank in (3, 1, 2)]
        for thread in threads:
            thread.start()
        until(lambda: len(turns._waiting) == 3)
    for thread in threads:
        thread.join()
    assert order == [1, 2, 3]
    assert turns.busy_seconds > 0


def test_as_many_windows_as_the_network_takes_run_together():
    turns, together = NetworkQueue(), threading.Barrier(3, timeout=LONG)

    def take():
        with turns.turn(0, 3):
            together.wait()  # breaks unless all three are inside at once

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken


def test_time_with_windows_of_two_pictures_is_counted_once():
    turns, first, second = NetworkQueue(), NetworkTime(), NetworkTime()
    with turns.turn(1, 2, first), turns.turn(2, 2, second):
        time.sleep(0.01)
    assert first.seconds >= 0.01 and first.seconds + second.seconds == pytest.approx(turns.busy_seconds)


def test_who_is_cancelled_while_waiting_leaves_and_the_next_goes_on():
    turns = NetworkQueue()

    def give_up():
        raise InterruptedError

    with turns.turn(0, 1), pytest.raises(InterruptedError), turns.turn(1, 1, check=give_up):
        pass
    with turns.turn(2, 1):  # would wait for ever behind a ticket that was left
        pass
