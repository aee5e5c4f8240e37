"""Work on a stream in order with several items in flight: read, worked on and handed out at the same time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")
_END = object()


def in_order(
    items: Generator[Item], work: Callable[[Item], Result], *, workers: int, depth: int
) -> Iterator[tuple[Item, Result]]:
    """Yield every item with ``work(item)``, in the items' order.

    One thread reads the items, ``workers`` threads work. At most ``depth`` items have been read and not yet been
    handed out, so memory is bounded however slow the consumer is. An error of ``items`` or of ``work`` is raised at its
    place, after the results before it. Closing this iterator ends all threads; ``items`` is closed in its own thread.
    """
    room = threading.Semaphore(depth)
    waiting: queue.SimpleQueue[object] = queue.SimpleQueue()
    stopped = threading.Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="frame")

    def read() -> None:
        try:
            with closing(items):
                while True:
                    room.acquire()
                    if stopped.is_set():
                        return
                    try:
                        item = next(items)
                    except StopIteration:
                        waiting.put(_END)
                        return
                    waiting.put((item, pool.submit(work, item)))
        except BaseException as error:
            waiting.put(error)

    reader = threading.Thread(target=read, name="video-reader", daemon=True)
    reader.start()
    try:
        while (entry := waiting.get()) is not _END:
            if isinstance(entry, BaseException):
                raise entry
            item, future = cast("tuple[Item, Future[Result]]", entry)
            result = future.result()
            del entry, future
            yield item, result
            del item, result
            room.release()
    finally:
        stopped.set()
        room.release()
        pool.shutdown(wait=True, cancel_futures=True)
        reader.join()


__all__ = ["in_order"]
