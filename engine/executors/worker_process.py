"""The parent's side of one child process: its pipe, the jobs that are aboard, and what becomes of them at its end."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from engine.executors import worker_child
from engine.executors.worker_child import WorkerSetup
from engine.jobs.job import Job
from engine.types import EnhanceResult, EnhanceSettings
from utils.json_types import JsonObject

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_DEATH_NOTICE_SECONDS = 2.0
"""How much later than the pipe the pool may notice a death."""


@dataclass(eq=False)
class Flight:
    """A job that is in the child.

    Attributes:
        mail: what the child says about it: ("progress", step), ("working", None), ("ended", result or exception) ...
        began: the child has taken it up.
        idle: it waits for another job's windows to leave the network, so a crash or a silence is not its own.
        outcome: its end, where it came.
    """

    job: Job
    mail: queue.SimpleQueue[tuple[str, object]] = field(default_factory=queue.SimpleQueue)
    began: bool = False
    idle: bool = False
    outcome: EnhanceResult | BaseException | None = None


class WorkerProcess:
    """One generation of a worker: a pool that keeps one process, which serves until it is ended.

    ``gone`` is set when the process has ended and all that it said is in the mail.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        from pebble import ProcessPool

        # Spawned, not forked: a fork of a process with threads may hang, and would share all of its memory.
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._pool = ProcessPool(
            max_workers=1, initializer=worker_child.start, initargs=(setup, theirs), context=context
        )
        self.pid: int | None = None
        self.models: JsonObject = {}
        self.gone = threading.Event()
        self.stopped_for: str | None = None
        """Why we ended it ourselves: the id of the job that was cancelled or hung, or "" for no job's sake."""
        self.at_the_end: frozenset[str] = frozenset()
        """The jobs that were at work, not waiting, when the process ended by itself."""
        self._flights: dict[str, Flight] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._stopping = threading.Event()
        self._serving: Future[None] = self._pool.schedule(worker_child.serve_jobs)
        self._listener = threading.Thread(target=self._listen, name="worker-pipe", daemon=True)
        self._listener.start()

    def board(self, job: Job) -> Flight:
        """Give the job to the child. One for a process that is gone gets no mail; ``gone`` tells."""
        flight = Flight(job)
        with self._lock:
            self._flights[job.id] = flight
        self._send(("job", job))
        return flight

    def prepare(self, settings: EnhanceSettings, pixels: int) -> None:
        """Have the child load what a job with such settings needs."""
        self._send(("prepare", (settings, pixels)))

    def leave(self, flight: Flight) -> None:
        """Nobody listens to the job any more."""
        with self._lock:
            self._flights.pop(flight.job.id, None)

    def cancel(self, job: Job) -> None:
        """Ask the child to end a job after its present tile."""
        self._send(("cancel", job.id))

    def stop(self, why: str = "") -> None:
        """End it for good, whatever it does; ``why`` is the id of the job because of which."""
        with self._lock:
            if self._stopping.is_set():
                return
            if not self.gone.is_set():
                self.stopped_for = why
            self._stopping.set()
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._pool.stop()
        self._pool.join()
        self._listener.join()
        self._pipe.close()

    def how_it_ended(self) -> str:
        """For the sentence "the worker process ..."; known once it is gone."""
        from pebble import ProcessExpired

        try:
            self._serving.result(timeout=_DEATH_NOTICE_SECONDS)
        except ProcessExpired as error:
            return _how_it_ended(error.exitcode)
        except CancelledError:
            return "was stopped"
        except (BrokenProcessPool, TimeoutError):
            return "ended"
        return "ended"

    # -- inside ------------------------------------------------------------------------------------------------------

    def _send(self, message: tuple[str, object]) -> None:
        with contextlib.suppress(OSError, ValueError), self._sending:
            self._pipe.send(message)

    def _listen(self) -> None:
        """Sort the child's messages to their jobs until it ends. Its death shows in the pool, or in the pipe."""
        try:
            while not self._stopping.is_set():
                if self._pipe.poll(_POLL_SECONDS):
                    self._hear(*self._pipe.recv())
                elif self._serving.done():
                    break
        except (EOFError, OSError):
            pass
        with self._lock:
            working = [one for one in self._flights.values() if one.began and not one.idle and one.outcome is None]
            self.at_the_end = frozenset(one.job.id for one in working)
            self.gone.set()

    def _hear(self, kind: str, job_id: str | None, value: Any) -> None:
        if kind == "started":
            self.pid = value
            with self._lock:
                for one in self._flights.values():
                    one.mail.put((kind, value))  # a sign of life
            return
        if kind == "models":
            self.models = value
            return
        with self._lock:
            flight = self._flights.get(job_id or "")
            if flight is None:
                return
            if kind == "ended":
                flight.outcome = value
            flight.began = True
            flight.idle = kind == "waiting"
        flight.mail.put((kind, value))


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is None:
        return "ended"
    number = -exit_code if exit_code < 0 else 0
    if number == getattr(signal, "SIGKILL", 9):
        return "was killed (by a person, or by the system for lack of memory)"
    try:
        return f"crashed ({signal.Signals(number).name})" if number else f"ended with code {exit_code}"
    except ValueError:
        return f"ended by signal {number}"


__all__ = ["Flight", "WorkerProcess"]
