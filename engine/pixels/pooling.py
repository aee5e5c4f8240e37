"""Networks that look at the whole picture, run in tiles.

Squeeze-excite networks weigh their channels by means over the whole picture; in a tile those would be the tile's own,
and neighbouring tiles would differ. So the means are found first: layer by layer, each from the tiles' maps as they
are with the earlier means in place, every map value counted once. With all of them fixed, tiles give what the
untiled network gives. (realcugan-ncnn-vulkan does the same in its "accurate" mode; it counts overlaps twice.)
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from engine.pixels.tiling import TileOutOfMemory, TilePlan, Window

if TYPE_CHECKING:
    from engine.backends.base import Session

Means = Sequence[np.ndarray]
"""For each pool, in the order in which they run: ``(N, C) float32``."""


class PooledStages(ABC):
    """A session's network, to be run up to each of its pools."""

    parallelism: int = 1

    @property
    @abstractmethod
    def count(self) -> int:
        """How many pools there are."""

    @abstractmethod
    def sides(self, side: int) -> list[int]:
        """Sides of the maps that the pools take the mean of, for windows of ``side`` pixels."""

    @abstractmethod
    def sums(self, batch: np.ndarray, known: Means, rows: slice, columns: slice) -> np.ndarray:
        """Sums over a part of the maps of pool ``len(known)``, the earlier pools fixed.

        Args:
            batch: ``(N, H, W, C) float32`` in 0..1.

        Returns:
            ``(N, maps) float64``. Raises ``engine.pixels.tiling.TileOutOfMemory`` when the batch does not fit.
        """

    @abstractmethod
    def fixed(self, known: Means) -> Session:
        """The session with all its pools fixed. It need not be closed, and ends with this one."""


@dataclass(frozen=True)
class Tile:
    """A window of a picture, as a session takes it, with its two axes."""

    batch: np.ndarray
    row: Window
    column: Window


@dataclass(frozen=True)
class _Axis:
    """How positions in a window map to positions in a pool's maps: ``position * step + offset``."""

    step: Fraction
    offset: Fraction

    def part(self, window: Window, end: int, side: int) -> slice:
        """What of a window's maps (``side`` long) is its own: neighbours end and begin at the same place.

        Args:
            end: the picture's length; outer windows own all up to the maps' ends, as untiled.
        """

        def at(position: int) -> int:
            return min(side, max(0, int(self.step * (position - window.start) + self.offset + Fraction(1, 2))))

        return slice(0 if window.lo == 0 else at(window.lo), side if window.hi == end else at(window.hi))


def picture_means(
    stages: PooledStages,
    tiles: TilePlan,
    windows: Callable[[TilePlan], Iterator[Tile]],
    turn: Callable[[], AbstractContextManager[None]],
) -> list[np.ndarray]:
    """The means over the whole picture, for ``PooledStages.fixed``.

    Args:
        windows: yields every window of the plan.
        turn: held while a window is in the network.

    Raises ``TileOutOfMemory`` where a window does not fit.
    """
    axes = _axes(stages, tiles)
    height, width = tiles.rows[-1].hi, tiles.columns[-1].hi
    known: list[np.ndarray] = []
    with ThreadPoolExecutor(stages.parallelism, thread_name_prefix="pool") as executor:
        for index in range(stages.count):
            (down, high), (across, wide) = axes[index]
            total: np.ndarray | float = 0.0
            count = 0

            def run(tile: Tile, parts: tuple[slice, slice], fixed: Means = tuple(known)) -> np.ndarray:
                with turn():
                    return stages.sums(tile.batch, fixed, *parts)

            def jobs(down: _Axis = down, across: _Axis = across, high: int = high, wide: int = wide) -> Iterator:
                for tile in windows(tiles):
                    yield tile, (down.part(tile.row, height, high), across.part(tile.column, width, wide))

            for some in _chunks(jobs(), 2 * stages.parallelism):
                for sums in executor.map(lambda job: run(*job), some):
                    total = total + sums
                count += sum((rows.stop - rows.start) * (columns.stop - columns.start) for _, (rows, columns) in some)
            known.append(np.asarray(total / max(1, count), np.float32))
    return known


def _chunks(jobs: Iterable, size: int) -> Iterator[list]:
    iterator = iter(jobs)
    while some := list(islice(iterator, size)):
        yield some


def _axes(stages: PooledStages, tiles: TilePlan) -> list[tuple[tuple[_Axis, int], tuple[_Axis, int]]]:
    """For each pool: its mapping along both axes, and how long the maps of this plan's windows are."""
    unit = tiles.unit
    step = 8 * unit
    base = -(-max(tiles.window) // unit) * unit
    first, second = stages.sides(base), stages.sides(base + step)
    lengths = [
        dict(zip(tiles.window, pair, strict=True)) for pair in zip(*map(stages.sides, tiles.window), strict=True)
    ]
    found = []
    for small, large, sides in zip(first, second, lengths, strict=True):
        ratio = Fraction(large - small, step)
        axis = _Axis(ratio, (small - ratio * base) / 2)
        high, wide = tiles.window
        found.append(((axis, sides[high]), (axis, sides[wide])))
    return found


class SharedPools:
    """One picture's session with fixed pools, made when the first window asks for it. Thread-safe.

    Args:
        plans: tile plans to find the means with, from the preferred one to smaller ones for when memory is short.
        windows, turn: see ``picture_means``.
    """

    def __init__(
        self,
        stages: PooledStages,
        plans: Iterator[TilePlan],
        windows: Callable[[TilePlan], Iterator[Tile]],
        turn: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._stages, self._plans, self._windows, self._turn = stages, plans, windows, turn
        self._lock = threading.Lock()
        self._made: Session | None = None

    def session(self) -> Session:
        """Raises ``TileOutOfMemory`` when even the smallest plan's windows do not fit."""
        with self._lock:
            if self._made is None:
                self._made = self._stages.fixed(self._means())
            return self._made

    def _means(self) -> list[np.ndarray]:
        failure = TileOutOfMemory("even the smallest tile does not fit in memory")
        for plan in self._plans:
            try:
                return picture_means(self._stages, plan, self._windows, self._turn)
            except TileOutOfMemory as error:
                failure = error
        raise failure
