"""Whether a Vulkan graphics card, which only ncnn serves, is used unasked: where it is right and clearly faster."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from engine.backends import get_backend
from engine.backends.base import Backend, NetworkSource
from engine.backends.self_test import BackendChooser, test_window
from engine.storage.json_store import JsonStore
from utils.errors import EngineError
from utils.vulkan import VulkanDevice, vulkan_hardware

logger = logging.getLogger(__name__)

_SIDE = 128
_RUNS = 3
_CLEARLY = 0.75
"""A card takes the processor's place when it needs less than this share of its time."""


class VulkanChoice:
    """Remembers, for a card and ncnn's version, whether it beat the processor.

    Args:
        store: where the verdicts are kept.
        look: finds the card; software devices are none.
    """

    def __init__(
        self,
        store: JsonStore,
        chooser: BackendChooser,
        cache_dir: Path | None,
        look: Callable[[], VulkanDevice | None] = vulkan_hardware,
        find: Callable[[str], Backend] = get_backend,
    ) -> None:
        self._store, self._chooser, self._cache_dir = store, chooser, cache_dir
        self._look, self._find = look, find

    def remembered(self) -> str | None:
        """The card's device name where it won before; None where it lost, where there is none, or nobody knows yet."""
        card = self._look()
        return card.id if card is not None and self._verdict(card) is True else None

    def decide(self, source: NetworkSource) -> str:
        """ "cpu" or the card's device name: the faster one, by a window of this network through both; remembered.

        Networks that ncnn is not given (faces, graphs of their own kind) stay on the processor.
        """
        card = self._look()
        if card is None or source.info.kind != "upscale" or source.arrays() is None:
            return "cpu"
        won = self._verdict(card)
        if won is None:
            won = self._race(source, card)
            self._store.put(self._key(card), won)
        return card.id if won else "cpu"

    def _race(self, source: NetworkSource, card: VulkanDevice) -> bool:
        try:
            seconds = {device: self._seconds(source, device) for device in (card.id, "cpu")}
        except (EngineError, RuntimeError, MemoryError) as error:
            logger.info("%s is not used unasked: %s", card.name, error)
            return False
        logger.info("A window takes %s", ", ".join(f"{took:.3f} s on {device}" for device, took in seconds.items()))
        return seconds[card.id] < _CLEARLY * seconds["cpu"]

    def _seconds(self, source: NetworkSource, device: str) -> float:
        """Least time of a window on the device, by the backend that was found right there."""
        choice = self._chooser.choose(source, device, find=self._find)
        window = test_window(source.info.in_channels, _SIDE)
        with closing(self._find(choice.backend).open(source, device, choice.precision, self._cache_dir)) as session:
            session.prepare(_SIDE, _SIDE)
            taken = []
            for _ in range(_RUNS):
                begun = time.perf_counter()
                output = session.infer(window)
                taken.append(time.perf_counter() - begun)
        if not np.isfinite(output).all():
            raise RuntimeError(f"{device} gave numbers that are not finite")
        return min(taken)

    def _verdict(self, card: VulkanDevice) -> bool | None:
        found = self._store.get(self._key(card))
        return found if isinstance(found, bool) else None

    @staticmethod
    def _key(card: VulkanDevice) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            runtime = version("ncnn")
        except PackageNotFoundError:
            runtime = "none"
        return f"{card.id} | {card.name} | ncnn {runtime}"


__all__ = ["VulkanChoice"]
