"""Which backend and number type to use for a network on a device.

A runtime may be missing a kernel for a new GPU, give NaN in half precision, or simply be slower than another. So at
the first use every candidate runs one window; its result is compared with the plainest one (torch, fp32, CPU) and the
fastest that is right is remembered.

On a processor that would be the longest part of the first start, and its outcome is known but for faults: OpenVINO in
the narrowest native type was the fastest on every one that was measured. So for architectures that are computed plainly
in numpy as well (``plain_network``) a small window serves, and the first candidate that is right is taken.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from engine.backends import automatic_for, get_backend, plain_network
from engine.backends.array_networks import is_known
from engine.backends.base import Backend, NetworkSource, Session
from engine.models.face_network import CROP_SIDE
from engine.storage.json_store import JsonStore
from utils.errors import BackendError
from utils.installation import command

logger = logging.getLogger(__name__)

_SIDE = 64
_SMALL_SIDE = 8
"""Of the window that numpy computes too: large enough to be right or wrong, too small to tell a speed."""
_MOST_RUNS, _ENOUGH_SECONDS = 8, 0.4
_CLEARLY_FASTER = 0.75
"""A candidate takes the place of a preferred one when it needs less than this share of its time."""
_SLOW = 2.0
MIN_PSNR = 40.0
"""dB against fp32, below which a backend's output counts as wrong. bf16 reaches 48 and more."""
MIN_FACE_PSNR = 33.0
"""The same for face networks. What they draw where there is no face, as on the test window, hangs on the last bit."""


@dataclass(frozen=True)
class Trial:
    """One candidate's result.

    Attributes:
        psnr: dB against the reference; None when there was no output, or nothing to compare it with.
        problem: None when it is right.
        passing: the day (ISO 8601) on which memory ran short; such a verdict holds no longer than that.
    """

    backend: str
    precision: str
    seconds_per_megapixel: float | None = None
    psnr: float | None = None
    problem: str | None = None
    passing: str = ""


@dataclass(frozen=True)
class Choice:
    """What was chosen, and every trial behind it; ``note``: why it is not what was asked for, in a sentence."""

    backend: str
    precision: str
    trials: tuple[Trial, ...] = ()
    note: str = ""


def candidates(device: str, backend: str, precision: str, find: Callable[[str], Backend]) -> list[tuple[str, str]]:
    """(backend, precision) pairs that the settings allow on the device, in order of preference."""
    pairs = []
    for name in automatic_for(device) if backend == "auto" else [backend]:
        runtime = find(name)
        if runtime.serves(device):
            native = runtime.precisions(device)
            pairs += [(name, one) for one in native if precision in ("auto", one)]
    return pairs


def test_window(channels: int, side: int = _SIDE) -> np.ndarray:
    """A fixed picture with flat, smooth, sharp and noisy parts: ``(1, side, side, channels) float32``."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    noise = np.random.default_rng(7).random((side, side), dtype=np.float32)
    planes = [x, y, 0.5 + 0.5 * np.sin(40 * x * y)]
    window = np.stack([planes[index % 3] for index in range(channels)], axis=-1)
    window[side // 2 :, side // 2 :] = noise[side // 2 :, side // 2 :, None]
    window[: side // 4, : side // 4] = 1.0
    return np.ascontiguousarray(window[None], np.float32)


test_window.__test__ = False  # type: ignore[attr-defined]


def gentle_window(channels: int, side: int = _SMALL_SIDE) -> np.ndarray:
    """A fixed picture like a photograph's part: ``(1, side, side, channels) float32``.

    Where all is noise from black to white, SPAN adds up to several times white, and no last bit is like another's.
    """
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    planes = [0.2 + 0.6 * x / side, 0.8 - 0.6 * y / side, 0.5 + 0.3 * np.sin((x + 2 * y) / 2)]
    window = np.stack([planes[index % 3] for index in range(channels)], axis=-1)
    noise = np.random.default_rng(7).random((side, side), dtype=np.float32) - 0.5
    window[side // 2 :, side // 2 :] += 0.1 * noise[side // 2 :, side // 2 :, None]
    window[: side // 2, : side // 4] = 0.9
    return np.ascontiguousarray(window[None], np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of arrays whose white is 1.0; 99 when equal, -1 when not finite."""
    mean = float(np.mean(np.square(np.clip(a, 0, 1) - np.clip(b, 0, 1), dtype=np.float64)))
    if not np.isfinite(mean):
        return -1.0
    return 99.0 if mean == 0 else min(99.0, float(-10 * np.log10(mean)))


def _timed(session: Session, window: np.ndarray) -> tuple[np.ndarray, float]:
    start = time.perf_counter()
    output = session.infer(window)
    return output, time.perf_counter() - start


def _seconds(session: Session, window: np.ndarray, first: float) -> float:
    """The least of several runs after the first: whatever else the machine does only ever adds."""
    # The first run also allocates. Where a run takes seconds that is nothing, and a person waits for this.
    seconds = [first] if first >= _SLOW else [_timed(session, window)[1] for _ in range(2)]
    while len(seconds) < _MOST_RUNS and sum(seconds) < _ENOUGH_SECONDS:
        seconds.append(_timed(session, window)[1])
    return min(seconds)


@dataclass(frozen=True, eq=False)
class _Check:
    """What a candidate has to do: give ``reference`` for ``window``, to ``least`` dB; ``timed``: and show its speed."""

    window: np.ndarray
    reference: np.ndarray | None
    least: float
    timed: bool = True


Opener = Callable[[NetworkSource, str, str, str], Session]
"""Opens a network: (network, backend, device, precision)."""


def _try(session: Session, check: _Check) -> tuple[Trial, np.ndarray]:
    window = check.window
    session.prepare(*window.shape[1:3])
    output, first = _timed(session, window)
    pixels = window.shape[1] * window.shape[2]
    speed = round(_seconds(session, window, first) / pixels * 1e6, 3) if check.timed else None
    quality = None if check.reference is None else round(psnr(output, check.reference), 1)
    if not np.isfinite(output).all():
        quality = -1.0
    problem = None if quality is None or quality >= check.least else f"wrong output ({quality:.0f} dB against fp32)"
    return Trial(session.backend, session.precision, speed, quality, problem), output


def run_trials(source: NetworkSource, device: str, pairs: list[tuple[str, str]], opener: Opener) -> list[Trial]:
    """Run every candidate on the test window."""
    side = CROP_SIDE if source.info.kind == "face" else max(_SIDE, source.info.minimum_size)
    least = MIN_FACE_PSNR if source.info.kind == "face" else MIN_PSNR
    check = _Check(test_window(source.info.in_channels, side), None, least)
    trials = []
    try:
        with closing(opener(source, "torch", "cpu", "fp32")) as session:
            first, reference = _try(session, check)
        check = replace(check, reference=reference)
        if device == "cpu" and ("torch", "fp32") in pairs:
            trials.append(first if first.problem else replace(first, psnr=99.0))
    except (BackendError, RuntimeError, MemoryError) as error:
        logger.warning("No fp32 reference for the self-test of %s: %s", source.name, error)
    for backend, precision in pairs:
        if check.reference is not None and device == "cpu" and (backend, precision) == ("torch", "fp32"):
            continue
        trials.append(_one(opener, source, device, (backend, precision), check))
    return sorted(trials, key=lambda trial: pairs.index((trial.backend, trial.precision)))


def _is_quick(source: NetworkSource, device: str) -> bool:
    return device.startswith(("cpu", "vulkan")) and is_known(source.info)


def first_right(source: NetworkSource, device: str, pairs: list[tuple[str, str]], opener: Opener) -> list[Trial] | None:
    """Trials up to the first candidate that is right, against plain numpy; None where numpy does not know the network.

    Only on the processor, and on what ncnn alone serves: among GPUs the order of preference says little about speed.
    """
    arrays = source.arrays() if _is_quick(source, device) else None
    if arrays is None:
        return None
    source = replace(source, arrays=lambda: arrays)  # read once
    window = gentle_window(source.info.in_channels)
    reference = plain_network.infer_plainly(source.info, arrays, window)
    if reference is None or not np.isfinite(reference).all():
        return None
    check = _Check(window, reference, MIN_PSNR, timed=False)
    trials: list[Trial] = []
    for pair in pairs:
        trials.append(_one(opener, source, device, pair, check))
        if trials[-1].problem is None:
            break
    return trials


def _one(opener: Opener, source: NetworkSource, device: str, pair: tuple[str, str], check: _Check) -> Trial:
    """One candidate's trial, whatever happens in it."""
    backend, precision = pair
    try:
        with closing(opener(source, backend, device, precision)) as session:
            return _try(session, check)[0]
    except (BackendError, RuntimeError, MemoryError, NotImplementedError) as error:
        passing = _today() if isinstance(error, MemoryError) else ""
        return Trial(backend, precision, problem=f"{type(error).__name__}: {error}"[:300], passing=passing)


def _today() -> str:
    return date.today().isoformat()


def _holds(trials: list[Trial]) -> bool:
    """Whether the verdicts count at the next start too.

    They do not where there was no reference, or where nothing ran: another program may have held the memory. What a
    runtime cannot do at all stays known as long as another one can.
    """
    good = [trial for trial in trials if trial.problem is None]
    if not good:
        return all(trial.psnr is not None for trial in trials)
    return all(trial.psnr is not None for trial in good) and all(trial.passing in ("", _today()) for trial in trials)


class BackendChooser:
    """Chooses once for a kind of network on a device, and remembers.

    Args:
        optimize: with False no trial is run; the first candidate is taken.
    """

    def __init__(self, store: JsonStore, cache_dir: Path | None, *, optimize: bool = True) -> None:
        self._store, self._cache_dir, self._optimize = store, cache_dir, optimize

    def choose(
        self,
        source: NetworkSource,
        device: str,
        backend: str = "auto",
        precision: str = "auto",
        find: Callable[[str], Backend] = get_backend,
    ) -> Choice:
        """Raises ``BackendError`` when nothing works, with every candidate's reason."""
        pairs = candidates(device, backend, precision, find)
        if not pairs:
            only_torch = backend == "auto" and device.partition(":")[0] in ("cuda", "xpu", "mps")
            named = "torch" if only_torch else backend
            why = None if named == "auto" else find(named).missing()
            raise BackendError(
                why
                or f"No backend can run {precision} on '{device}' here (backend: {backend}). "
                f"`{command()} info` lists devices and what they support."
            )
        if len(pairs) == 1 or not self._optimize:
            return Choice(*pairs[0])
        key = self.key(source, device)
        trials = self._remembered(key, pairs, _is_quick(source, device))
        if trials is None:

            def opener(network: NetworkSource, runtime: str, on: str, kind: str) -> Session:
                return find(runtime).open(network, on, kind, self._cache_dir)

            trials = first_right(source, device, pairs, opener)
            if trials is None:
                trials = run_trials(source, device, pairs, opener)
            if _holds(trials):
                self._remember(key, device, trials)
        return self._best(source, trials)

    def _remember(self, key: str, device: str, trials: list[Trial]) -> None:
        earlier = (self._store.get(key) or {}).get("trials", [])
        tried = {(trial.backend, trial.precision) for trial in trials}
        merged = [old for old in earlier if (old["backend"], old["precision"]) not in tried]
        self._store.put(key, {"device": device, "trials": [*merged, *(asdict(trial) for trial in trials)]})

    def _best(self, source: NetworkSource, trials: list[Trial]) -> Choice:
        good = [trial for trial in trials if trial.problem is None]
        if not good:
            reasons = "; ".join(f"{trial.backend} {trial.precision}: {trial.problem}" for trial in trials)
            raise BackendError(f"No backend ran '{source.name}' correctly. {reasons}")
        for trial in trials:
            if trial.problem:
                logger.warning(
                    "%s: %s in %s is not used: %s", source.name, trial.backend, trial.precision, trial.problem
                )
        fastest = min(trial.seconds_per_megapixel or 0.0 for trial in good)
        best = next(trial for trial in good if (trial.seconds_per_megapixel or 0.0) * _CLEARLY_FASTER <= fastest)
        return Choice(best.backend, best.precision, tuple(trials))

    def _remembered(self, key: str, pairs: list[tuple[str, str]], quick: bool) -> list[Trial] | None:
        """Earlier trials of the candidates; with ``quick`` those after the first right one need not be there."""
        record = self._store.get(key)
        try:
            trials = {(t["backend"], t["precision"]): Trial(**t) for t in record["trials"]}
        except (KeyError, TypeError):
            return None
        found: list[Trial] = []
        for pair in pairs:
            trial = trials.get(pair)
            if trial is None and not (quick and any(one.problem is None for one in found)):
                return None
            if trial is not None:
                found.append(trial)
        return found if _holds(found) else None

    @staticmethod
    def key(source: NetworkSource, device: str) -> str:
        """Networks of one shape run alike, so the weights do not count; versions and the machine do."""
        from importlib.metadata import PackageNotFoundError, version

        parts = [source.info.architecture, str(source.info.parameters), f"x{source.info.scale}", device]
        for package in ("torch", "openvino", *(("ncnn",) if device.startswith("vulkan") else ())):
            try:
                parts.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                parts.append(f"no {package}")
        return " | ".join([*parts, platform.machine()])
