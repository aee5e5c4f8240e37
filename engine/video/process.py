"""The video job in a process of its own: what crashes or runs out of memory there takes nobody with it.

A job whose process was lost goes on from its last finished segment in a new one.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from engine.jobs.job import JobFailure
from engine.types import EnhanceSettings, JobControl, Progress
from engine.video.options import VideoOptions, VideoResult
from utils.engine_config import EngineConfig
from utils.errors import EngineError, JobCancelled, WorkerLostError

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
_CANCEL_GRACE_SECONDS = 120.0
"""How long a cancelled job may take to finish its current tile and put what it has together."""
_MOST_LOSSES = 3


@dataclass(frozen=True)
class _Call:
    """What the child is to do; it travels by pickle."""

    input_path: Path
    output_path: Path
    settings: EnhanceSettings
    options: VideoOptions
    config: EngineConfig
    overwrite: bool


def enhance_video_isolated(
    input_path: Path | str,
    output_path: Path | str,
    settings: EnhanceSettings,
    options: VideoOptions | None = None,
    *,
    config: EngineConfig,
    control: JobControl | None = None,
    overwrite: bool = False,
) -> VideoResult:
    """``enhance_video`` in a child process, which loads the model and ends with the job.

    Raises what ``enhance_video`` does, and ``WorkerLostError`` when processes were lost again and again.
    """
    call = _Call(Path(input_path), Path(output_path), settings, options or VideoOptions.create(), config, overwrite)
    control = control or JobControl()
    best = 0
    for losses in range(1, _MOST_LOSSES + 1):
        child = _Child(call, control)
        try:
            return child.follow()
        except WorkerLostError:
            control.check()
            if losses == _MOST_LOSSES or not call.options.resume or (losses > 1 and child.frames <= best):
                raise
            best = max(best, child.frames)
            logger.warning("The process of '%s' was lost; another one goes on", call.input_path.name)
        finally:
            child.end()
    raise AssertionError("the last loss is raised")


class _Child:
    """One child process, seen from here."""

    def __init__(self, call: _Call, control: JobControl) -> None:
        from utils.opencv import finish_importing

        finish_importing()
        context = multiprocessing.get_context("spawn")
        self._name, self._control = call.input_path.name, control
        self._pipe, theirs = context.Pipe()
        self.frames = 0
        self._process = context.Process(target=_work, args=(theirs, call), name="video", daemon=True)
        self._process.start()
        theirs.close()

    def follow(self) -> VideoResult:
        """Pass progress up and cancelling down until the job ends, one way or another."""
        asked_at: float | None = None
        while True:
            try:
                if self._pipe.poll(_POLL_SECONDS):
                    kind, value = self._pipe.recv()
                    if kind == "done":
                        return value  # type: ignore[no-any-return]
                    if kind == "failed":
                        raise value.to_error()
                    self.frames = max(self.frames, value.done)
                    self._control.report(value)
            except (EOFError, OSError) as error:
                self._process.join(5)
                code = self._process.exitcode
                raise WorkerLostError(
                    f"The process that enhanced '{self._name}' ended (code {code}); what was finished is kept, and the "
                    "same job goes on from there."
                ) from error
            if self._control.cancelled and asked_at is None:
                asked_at = time.monotonic()
                with contextlib.suppress(OSError):
                    self._pipe.send("cancel")
            if asked_at is not None and time.monotonic() - asked_at > _CANCEL_GRACE_SECONDS:
                raise JobCancelled("Cancelled; the last frames took too long to finish. Start again to go on.")

    def end(self) -> None:
        self._pipe.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5)
        self._process.close()


def _work(pipe: Connection, call: _Call) -> None:
    """The child's own side."""
    from engine.model_manager import ModelManager
    from engine.video.run import enhance_video
    from utils.logger import setup_logging

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what to do
    setup_logging(None, call.config.log_level)
    sending = threading.Lock()

    def send(kind: str, value: Progress | VideoResult | JobFailure) -> None:
        with sending, contextlib.suppress(OSError):
            pipe.send((kind, value))

    control = JobControl(lambda step: send("progress", step))
    threading.Thread(target=_listen, args=(pipe, control), name="listener", daemon=True).start()
    manager = ModelManager.from_config(call.config)
    try:
        result = enhance_video(
            call.input_path,
            call.output_path,
            call.settings,
            call.options,
            manager=manager,
            config=call.config,
            control=control,
            overwrite=call.overwrite,
        )
        send("done", result)
    except EngineError as error:
        send("failed", JobFailure.of(error))
    except Exception as error:
        logger.exception("The video job failed")
        send("failed", JobFailure("EngineError", f"An unforeseen fault: {error}. The log has the details."))
    finally:
        manager.close()


def _listen(pipe: Connection, control: JobControl) -> None:
    """The parent says "cancel", or is gone: then what is done becomes a playable file, and nobody waits for more."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    control.cancel()


__all__ = ["enhance_video_isolated"]
