"""How executors scale from one to two workers, and what a loss in the middle of a batch does.

Every worker keeps to one core, so two of them have twice the machine. Run: ``python -m benchmarks.executors worker``,
``... ray``, with ``--kill`` (a worker is killed in mid-batch) or, for Ray, ``--remove-node``.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.networks import photograph, write_compact
from config import Config
from engine.executors import Executor, create_executor, run_many
from engine.jobs.job import Job, JobState
from engine.types import EnhanceSettings


def configuration(folder: Path, kind: str, workers: int, **more: Any) -> Config:
    return Config(
        executor=kind,
        workers=workers,
        ray_cores=1,
        weights_dir=folder / "weights",
        cache_dir=folder / "cache",
        output_dir=folder / "outputs",
        log_level="ERROR",
        device="cpu",
        optimize=False,
        **more,
    )


def jobs_of(folder: Path, pictures: int, side: int, name: str) -> list[Job]:
    source = folder / "picture.png"
    if not source.exists():
        Image.fromarray(photograph(side, side)).save(source)
    settings = EnhanceSettings(model="network", scale=4)
    return [Job.new(source, folder / "outputs" / name / f"{number}.png", settings) for number in range(pictures)]


def one_core_executor(folder: Path, kind: str, workers: int) -> Executor:
    """An executor whose every worker has one core, also when there is only one worker."""
    config = configuration(folder, kind, workers)
    if kind == "ray":
        return create_executor(config)
    from engine.executors.worker import WorkerRunner, WorkerSetup

    return Executor("worker", [WorkerRunner(str(number), WorkerSetup(config, (number,))) for number in range(workers)])


def scaling(folder: Path, kind: str, pictures: int, side: int) -> None:
    rates = {}
    print("| workers of one core | pictures a second | of linear |\n|---|---|---|")
    for workers in (1, 2):
        with one_core_executor(folder, kind, workers) as executor:
            list(run_many(executor, jobs_of(folder, 2 * workers, side, f"warm-{workers}")))
            started = time.perf_counter()
            handles = list(run_many(executor, jobs_of(folder, pictures, side, f"run-{workers}")))
            rates[workers] = len(handles) / (time.perf_counter() - started)
            assert all(handle.status.state is JobState.DONE for handle in handles)
        print(f"| {workers} | {rates[workers]:.2f} | {rates[workers] / rates[1] / workers:.2f} |", flush=True)


def loss(folder: Path, kind: str, pictures: int, side: int) -> None:
    """SIGKILL to one of two workers while a batch runs."""
    with one_core_executor(folder, kind, 2) as executor:

        def kill() -> None:
            busy = [runner.pid for runner in executor.stats().runners if runner.state == "busy" and runner.pid]
            os.kill(busy[0], signal.SIGKILL)
            print(f"killed process {busy[0]}")

        report(executor, jobs_of(folder, pictures, side, "kill"), kill)


def node_removed(folder: Path, pictures: int, side: int) -> None:
    """A cluster of two nodes on this machine; one of them goes in the middle of a batch."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    try:
        config = configuration(folder, "ray", 2, ray_address=cluster.address)
        with create_executor(config) as executor:

            def remove() -> None:
                cluster.remove_node(second, allow_graceful=False)
                print("removed one node of two")

            report(executor, jobs_of(folder, pictures, side, "node"), remove)
            print(f"nodes alive at the end: {sum(node['alive'] for node in executor.nodes())}")  # type: ignore[attr-defined]
    finally:
        cluster.shutdown()


def report(executor: Executor, jobs: list[Job], disturb: Any) -> None:
    """Run a batch, disturb it after a third, and count how often each item ended."""
    ends: Counter[str] = Counter()
    states: Counter[str] = Counter()
    started = time.perf_counter()
    for number, handle in enumerate(run_many(executor, jobs)):
        ends[handle.job.id] += 1
        states[handle.status.state.value] += 1
        if number == len(jobs) // 3:
            threading.Thread(target=disturb).start()
    files = sum(job.output_path.exists() for job in jobs)
    print(
        f"{len(jobs)} items, each ended once: {set(ends.values()) == {1} and len(ends) == len(jobs)}; {dict(states)}; "
        f"{files} files; {time.perf_counter() - started:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("worker", "ray"))
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--remove-node", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        write_compact(folder / "weights" / "network.pth")
        if arguments.remove_node:
            node_removed(folder, arguments.pictures, arguments.side)
        elif arguments.kill:
            loss(folder, arguments.kind, arguments.pictures, arguments.side)
        else:
            scaling(folder, arguments.kind, arguments.pictures, arguments.side)


if __name__ == "__main__":
    main()
