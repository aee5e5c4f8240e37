"""What the Image tab knows of a picture before any run: header, advice, time; and which page of a document is open."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.analysis.choice import Chosen
from engine.imaging.context import JobContext
from engine.imaging.document import page_headers
from engine.imaging.task import automatic_model, limits_of
from engine.machine.estimates import Estimate, estimate
from engine.model_manager import ModelManager
from engine.pixels.sizing import plan_size
from engine.storage.history import Run
from engine.types import EnhanceSettings
from ui.handlers.common import MODES
from ui.handlers.workspace import Workspace, same_file
from ui.visitors import Visitor
from utils import image_io
from utils.documents import open_document
from utils.page_numbers import PDF_DPI, chosen_pages

if TYPE_CHECKING:
    from engine.intelligent_enhancer import IntelligentEnhancer, Recommendation

_LOOKED_AT = 20
"""Pages whose sizes are read for an estimate, which is made at every change of the form; others are taken to be like
them."""


class PictureFacts:
    """Looks at pictures, for all browsers. Every method may be called from any thread.

    Args:
        enhancer: analyses pictures; made at the first use when not given.
    """

    def __init__(self, config: Any, manager: ModelManager, enhancer: IntelligentEnhancer | None = None) -> None:
        self.config, self.manager = config, manager
        self._enhancer = enhancer
        # For what a person has accepted as it is, damaged or not.
        self._accepted = replace(limits_of(config), salvage=True)
        self._lock = threading.Lock()

    def probe(self, path: Path | str, settings: EnhanceSettings | None = None) -> image_io.ImageInfo:
        """Facts from the file's header. Raises ``EngineError`` for what cannot be used."""
        return image_io.probe(Path(path), limits_of(self.config, settings))

    def recommend(self, path: Path | str, *, salvage: bool = False) -> Recommendation:
        """What the engine found, and the settings that it would choose; of a document for its first page.

        Args:
            salvage: take the rest of a damaged file.
        """
        from engine.intelligent_enhancer import IntelligentEnhancer

        if salvage:
            return IntelligentEnhancer(self.manager, limits=self._accepted).recommend(Path(path))
        with self._lock:
            if self._enhancer is None:
                self._enhancer = IntelligentEnhancer(self.manager, limits=limits_of(self.config))
        return self._enhancer.recommend(Path(path))

    def estimate(self, path: Path | str, settings: EnhanceSettings) -> tuple[tuple[int, int], Estimate]:
        """(width, height) of the output, of a document its first page; and what all will cost.

        Raises ``EngineError`` where it cannot be made.
        """
        info = self.probe(path, settings)
        model = self.automatic(path, settings) if settings.model == "auto" else settings.model
        kind = settings.format if settings.format != "auto" else info.format.lower()
        sizes, pages = self._sizes(Path(path), info, settings)
        most = int(self.config.max_output_megapixels * 1e6)
        plans = {size: plan_size(*size, settings, max_output_pixels=most) for size in sizes}
        costs = {
            size: estimate(self.manager, model, *size, plan.scale, output_format=kind) for size, plan in plans.items()
        }
        seconds = sum(costs[size].seconds * count for size, count in sizes.items()) * pages / sizes.total()
        largest = max(costs.values(), key=lambda one: one.memory_mb)
        return next(iter(plans.values())).canvas, replace(largest, seconds=seconds)

    def _sizes(
        self, path: Path, info: image_io.ImageInfo, settings: EnhanceSettings
    ) -> tuple[Counter[tuple[int, int]], int]:
        """How often each size (width, height) comes among the pages that are looked at; pages or frames in all."""
        numbers = chosen_pages(settings.pages, info.pages, path.name)
        found = Counter[tuple[int, int]]()
        if info.is_document:
            headers = page_headers(path, settings, limits_of(self.config, settings), numbers[:_LOOKED_AT])
            found.update((header.width, header.height) for header in headers if header is not None)
        return found or Counter({(info.width, info.height): 1}), max(info.frames, len(numbers))

    def automatic(self, path: Path | str, settings: EnhanceSettings) -> str:
        """The model that "auto" means for a picture. Raises ``EngineError``."""
        return self.chosen(path, settings).model

    def chosen(self, path: Path | str, settings: EnhanceSettings) -> Chosen:
        """The model that "auto" means for a picture, and why. Raises ``EngineError``."""
        context = JobContext(self.manager, self.config)
        return automatic_model(Path(path), self.probe(path, settings), settings, context)

    def seconds_by_mode(self, path: Path | str, settings: EnhanceSettings) -> dict[str, float]:
        """Expected seconds of the automatic model for every quality that the form offers."""
        wanted = [settings.but(model="auto", mode=mode) for mode in MODES]
        return {one.mode: self.estimate(path, one)[1].seconds for one in wanted}

    # -- pages -------------------------------------------------------------------------------------------------------

    def turn_page(self, workspace: Workspace, path: Path, settings: EnhanceSettings) -> bool:
        """Let the workspace show the first of the pages that the settings choose; whether that is another one.

        Raises ``EngineError`` where there is no such page.
        """
        info = self.probe(path, settings)
        number = chosen_pages(settings.pages, info.pages, path.name)[0]
        with workspace.lock:
            if not info.is_document or workspace.upload is None or not same_file(workspace.upload, path):
                return False
            if workspace.page == (number, settings.pdf_dpi):
                return False
            workspace.lay(path)
            workspace.page = number, settings.pdf_dpi
        return True

    def page_file(self, visitor: Visitor, path: Path, number: int = 1, pdf_dpi: float = PDF_DPI) -> Path:
        """A page of a document as a picture file in the browser's folder; any other file itself."""
        if not image_io.probe(path, self._accepted).is_document:
            return path
        stamp = f"{path} {path.stat().st_mtime_ns} {number} {pdf_dpi}"
        folder = visitor.folder / "pages"
        with open_document(path, self._accepted, pdf_dpi) as document:
            target = folder / f"{hashlib.sha256(stamp.encode()).hexdigest()[:16]}{document.suffix}"
            if not target.exists():
                folder.mkdir(parents=True, exist_ok=True)
                document.write_page(number, target)
        return target

    def open_page(self, visitor: Visitor, workspace: Workspace, path: Path) -> Path:
        """The page that the workspace shows, as ``page_file``."""
        with workspace.lock:
            here = workspace.upload is not None and same_file(workspace.upload, path)
            number, pdf_dpi = workspace.page if here else (1, PDF_DPI)
        return self.page_file(visitor, path, number, pdf_dpi)

    def first_page(self, visitor: Visitor, run: Run) -> Path:
        """What became the first page of a run's result, as ``page_file``."""
        path, settings = Path(run.input_path), EnhanceSettings.create(**run.settings)
        left_out = run.metrics.get("pages_left_out", ())
        numbers = [one for one in self.numbers(path, settings) if one not in left_out]
        return self.page_file(visitor, path, numbers[0] if numbers else 1, settings.pdf_dpi)

    def numbers(self, path: Path, settings: EnhanceSettings) -> tuple[int, ...]:
        """The pages that the settings choose. Raises ``EngineError`` where there are none such."""
        return chosen_pages(settings.pages, image_io.probe(path, self._accepted).pages, path.name)
