"""Jobs on a Ray cluster: one actor a GPU, or one for every few cores. Optional, see ``requirements-ray.txt``.

Ray restarts lost actors and repeats their calls only when told to; both are set here, and jobs are made so that
repeating them is harmless. Everything stays on loopback unless a cluster's address is given, and one beyond loopback
is refused without Ray's token authentication: whoever reaches an open cluster can run code on it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.executors.base import Executor, RunnerStats, RunnerUnavailable
from engine.executors.quarantine import Quarantine
from engine.executors.ray_actor import UpscaleActor
from engine.jobs.job import Job
from engine.types import EnhanceResult, EnhanceSettings, JobControl
from utils.addresses import is_loopback
from utils.engine_config import EngineConfig
from utils.errors import (
    EngineError,
    InvalidImageError,
    InvalidSettingsError,
    JobCancelled,
    OutputError,
    WorkerLostError,
)
from utils.installation import how_to_add
from utils.json_types import JsonObject

logger = logging.getLogger(__name__)

MINIMUM_VERSION = (2, 52)
_ROOT = Path(__file__).resolve().parent.parent.parent
_POLL_SECONDS = 0.25
_CANCEL_GRACE_SECONDS = 1.5
_TASK_RETRIES = 1
_SILENCE_SECONDS = 15.0
"""A restarting actor says nothing for a few seconds; one whose node is gone says nothing any more."""


class RayRunner:
    """One actor, made at its first job.

    Ray itself repeats a call once on a restarted actor; only when that is lost too, a fresh actor tries once more.
    """

    retries = 1
    places = 1

    def __init__(self, number: int, config: EngineConfig, cores: int, gpus: int, hang_timeout: float | None) -> None:
        self.name = f"ray-{number}"
        self._number, self._config, self._cores, self._gpus = number, config, cores, gpus
        self._hang_timeout = hang_timeout
        self._actor: Any = None
        self._silence = _SILENCE_SECONDS
        self._losses = 0

    def run(self, job: Job, control: JobControl) -> EnhanceResult:
        import ray
        from ray.exceptions import RayActorError, RayError, RayTaskError

        try:
            data = ray.put(job.input_path.read_bytes())
        except OSError as error:
            raise InvalidImageError(f"'{job.input_path}' cannot be read: {error.strerror or error}.") from error
        if job.output_path.exists() and not job.overwrite:
            raise OutputError(f"'{job.output_path}' exists already. Choose another name, or allow overwriting.")
        actor = self._start()
        answer = actor.run.options(num_returns=2).remote(job, data)
        try:
            self._follow(actor, answer[0], job, control)
            result = ray.get(answer[0])
            _write(job.output_path, ray.get(answer[1]))
            return result
        except RayTaskError as error:
            if isinstance(error.cause, EngineError):
                raise error.cause from None
            raise
        except (RayActorError, RayError) as error:
            self._losses += 1 + _TASK_RETRIES
            self.close()
            raise WorkerLostError(
                f"The Ray actor was lost {1 + _TASK_RETRIES} times in a row while it worked on "
                f"'{job.input_path.name}'.",
                losses=1 + _TASK_RETRIES,
            ) from error

    def _follow(self, actor: Any, answer: Any, job: Job, control: JobControl) -> None:
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        shown, last_sign = None, time.monotonic()
        heard = last_sign
        asked_at: float | None = None
        ended = False
        while not ended:
            ended = bool(ray.wait([answer], timeout=_POLL_SECONDS)[0])  # and then once more for the last progress
            progress = None
            with contextlib.suppress(RayError, GetTimeoutError):  # an actor that restarts has nothing to say yet
                progress = ray.get(actor.progress.options(max_task_retries=0).remote(job.id), timeout=2)
                heard = time.monotonic()
            now = time.monotonic()
            if not ended and now - heard > self._silence and not self._can_restart():
                self.close()
                raise RunnerUnavailable
            if progress is not None and progress != shown:
                shown, last_sign = progress, now
                if asked_at is None:
                    control.report(progress)
            if control.cancelled and asked_at is None:
                asked_at = now
                actor.cancel.options(max_task_retries=0).remote(job.id)
            if not ended and asked_at is not None and now - asked_at > _CANCEL_GRACE_SECONDS:
                self.close()
                raise JobCancelled("Cancelled; nothing was written.")
            if not ended and self._hang_timeout is not None and now - last_sign > self._hang_timeout:
                self.close()
                raise WorkerLostError(
                    f"The Ray actor showed no progress on '{job.input_path.name}' for {self._hang_timeout:g} seconds."
                )

    def _can_restart(self) -> bool:
        """Whether Ray has room to start a silent actor again; else it would wait for ever."""
        import ray

        free = ray.available_resources()
        return free.get("CPU", 0) >= self._cores and free.get("GPU", 0) >= self._gpus

    def _start(self) -> Any:
        import ray

        if not self.available():
            raise RunnerUnavailable
        if self._actor is None:
            remote = ray.remote(UpscaleActor).options(
                num_cpus=self._cores,
                num_gpus=self._gpus,
                max_restarts=-1,
                max_task_retries=_TASK_RETRIES,
                max_concurrency=4,  # one job, and beside it the questions for progress and the order to cancel
            )
            self._actor = remote.remote(self._config, 0 if self._gpus else self._cores, self._number)
        return self._actor

    def available(self) -> bool:
        """Whether the cluster has room for the actor: a node may have gone."""
        return self._actor is not None or self._can_restart()

    def prepare(self, settings: EnhanceSettings, pixels: int = 0) -> None:
        pass  # actors stay; what one has loaded is Ray's to place

    def rest(self) -> None:
        if self._actor is not None:
            self._actor.rest.remote()

    def close(self) -> None:
        import ray

        actor, self._actor = self._actor, None
        if actor is not None and ray.is_initialized():
            ray.kill(actor)

    def stats(self, busy: bool) -> RunnerStats:
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        where: JsonObject = {}
        actor = self._actor
        if actor is not None:
            with contextlib.suppress(RayError, GetTimeoutError):
                where = ray.get(actor.where.options(max_task_retries=0).remote(), timeout=2)
        return RunnerStats(
            name=self.name,
            state="asleep" if actor is None else "busy" if busy else "idle",
            device="gpu" if self._gpus else "cpu",
            pid=where.get("pid"),
            memory_mb=where.get("memory_mb"),
            losses=self._losses,
            details={"node": where.get("node"), "cores": self._cores},
        )


class RayExecutor(Executor):
    """The executor over a cluster that it joined or started itself."""

    def close(self, grace: float = 0.0) -> tuple[Job, ...]:
        import ray

        left = super().close(grace)
        if ray.is_initialized():
            ray.shutdown()
        return left

    def nodes(self) -> list[JsonObject]:
        """The cluster's nodes: id, address, whether alive, resources."""
        import ray

        return [
            {"id": node["NodeID"], "address": node["NodeManagerAddress"], "alive": node["Alive"], **_counts(node)}
            for node in ray.nodes()
        ]


def _counts(node: JsonObject) -> dict[str, float]:
    resources = node.get("Resources", {})
    return {"cores": resources.get("CPU", 0.0), "gpus": resources.get("GPU", 0.0)}


def ray_executor(config: EngineConfig) -> Executor:
    """Join the cluster at ``config.ray_address``, or start one on this machine, and fill it with actors.

    Raises:
        InvalidSettingsError: Ray is not installed or too old, or the address is open to others without a token.
    """
    if not config.ray_address:
        # A cluster of one machine keeps to 127.0.0.1, as Ray does by itself on Windows and macOS; elsewhere it would
        # listen on every interface. Ray reads this switch when it is imported.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported; nobody is told what runs here
    ray = _import_ray()
    check_address(config.ray_address, os.environ.get("RAY_AUTH_MODE", ""))
    environment = {"env_vars": {"PYTHONPATH": str(_ROOT)}}
    common = {"log_to_driver": False, "logging_level": logging.WARNING, "runtime_env": environment}
    if not ray.is_initialized():
        if config.ray_address:
            try:
                ray.init(address=config.ray_address, **common)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise InvalidSettingsError(
                    f"ray_address: no cluster answers at '{config.ray_address}': {error}."
                ) from error
        else:
            ray.init(include_dashboard=False, **common)
    resources = ray.cluster_resources()
    gpus, cpus = int(resources.get("GPU", 0)), max(1, int(resources.get("CPU", 1)))
    if gpus and config.device != "cpu":
        count, cores, share = config.workers or gpus, max(1, min(config.ray_cores, cpus // gpus)), 1
    else:
        count = config.workers or max(1, cpus // config.ray_cores)
        cores, share = max(1, min(config.ray_cores, cpus // count)), 0
    hang_timeout = config.worker_hang_timeout or None
    return RayExecutor(
        "ray",
        [RayRunner(number, config, cores, share, hang_timeout) for number in range(count)],
        queue_limit=config.queue_limit,
        idle_timeout=config.worker_idle_timeout or None,
        quarantine=Quarantine(config.cache_dir / "set_aside.json"),
    )


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError:
        raise InvalidSettingsError(f"executor: 'ray' needs the package ray: {how_to_add('ray')}") from None
    version = tuple(int(part) for part in ray.__version__.split(".")[:2])
    if version < MINIMUM_VERSION:
        raise InvalidSettingsError(
            f"executor: ray {ray.__version__} can be taken over from a web page; install 2.52 or newer "
            f"({how_to_add('ray')})."
        )
    return ray


def check_address(address: str, auth_mode: str) -> None:
    """Refuse a cluster beyond loopback that anyone could use. Raises ``InvalidSettingsError``."""
    if not address or address in ("auto", "local") or auth_mode == "token":
        return
    host = address.removeprefix("ray://").rpartition(":")[0].strip("[]") or address
    if not is_loopback(host):
        raise InvalidSettingsError(
            f"ray_address: '{address}' is beyond this machine, and Ray's token authentication is off. Whoever reaches "
            "such a cluster can run code on it. Set RAY_AUTH_MODE=token and a token on every node."
        )


def _write(path: Path, data: bytes) -> None:
    """One atomic step, as all writers do it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"'{path}' cannot be written: {error.strerror or error}.") from error


__all__ = ["RayExecutor", "RayRunner", "check_address", "ray_executor"]
