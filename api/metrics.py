"""Prometheus metrics. Every application has a registry of its own, so several can live in one process."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.executors import Executor
from engine.jobs.job import JobStatus

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class _ExecutorState(Collector):
    """Gauges that are looked up when they are asked for."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        stats = self._executor.stats()
        yield GaugeMetricFamily("realesrgan_queue_length", "Jobs that wait", stats.queued)
        yield GaugeMetricFamily("realesrgan_queue_limit", "Jobs that may wait", stats.queue_limit)
        yield GaugeMetricFamily("realesrgan_jobs_running", "Jobs that run", stats.running)
        yield GaugeMetricFamily(
            "realesrgan_server_memory_bytes", "Memory of the server", psutil.Process().memory_info().rss
        )
        workers = GaugeMetricFamily("realesrgan_workers", "Workers by state", labels=["state"])
        for state in ("asleep", "idle", "busy"):
            workers.add_metric([state], sum(runner.state == state for runner in stats.runners))
        yield workers
        sizes = GaugeMetricFamily("realesrgan_worker_memory_bytes", "Memory of each worker", labels=["worker"])
        losses = GaugeMetricFamily("realesrgan_worker_losses", "Times that a worker was lost", labels=["worker"])
        for runner in stats.runners:
            sizes.add_metric([runner.name], (runner.memory_mb or 0) * 2**20)
            losses.add_metric([runner.name], runner.losses)
        yield sizes
        yield losses


class Metrics:
    """Counters of requests and jobs."""

    def __init__(self, executor: Executor) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ExecutorState(executor))
        self._jobs = Counter("realesrgan_jobs", "Jobs by outcome", ["state"], registry=self._registry)
        self._job_seconds = Histogram(
            "realesrgan_job_seconds", "From start to end of a job", buckets=_SECONDS, registry=self._registry
        )
        self._requests = Counter(
            "realesrgan_requests",
            "Requests by route and status",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "realesrgan_request_seconds", "Seconds to answer", ["route"], buckets=_SECONDS, registry=self._registry
        )

    def job_ended(self, status: JobStatus) -> None:
        self._jobs.labels(status.state.value).inc()
        if status.started is not None and status.finished is not None:
            self._job_seconds.observe(max(0.0, status.finished - status.started))

    def request_ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """``route`` is the pattern, never the address itself: that would be a series for every job."""
        self._requests.labels(method if method in _METHODS else "OTHER", route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
