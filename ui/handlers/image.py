"""The Image tab's work: plain functions and values, tested without a browser."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.face_restorer import FaceRestorer
from engine.faces.adjust import adjust_faces, adjustable
from engine.faces.choose import Surroundings, choose
from engine.faces.layer import load_layer
from engine.imaging.document import is_document
from engine.imaging.readjust import can_readjust, readjust_fidelity
from engine.imaging.recording import Recorder
from engine.imaging.region import REGION_SIDE, RegionPreview, enhance_region, liveliest_center, region_box
from engine.imaging.task import limits_of, result_limits_of
from engine.model_manager import ModelManager
from engine.pixels.sizing import plan_size
from engine.storage.history import History, Run, run_of_result
from engine.storage.output_names import default_output_path, reserved
from engine.types import RESAMPLERS, EnhanceFile, EnhanceResult, EnhanceSettings, JobControl, Progress
from ui import previews
from ui.handlers import differences
from ui.handlers.picture_facts import PictureFacts
from ui.handlers.workspace import KEPT, Compared, Workspace, same_file, workspace_base
from ui.viewer import EMPTY, Box, View, boxes_of
from ui.visitors import Visitor
from utils import image_io
from utils.errors import EngineError, HistoryError
from utils.invention import Invention
from utils.metrics import calculate_image_metrics
from utils.picture import crop

if TYPE_CHECKING:
    from engine.intelligent_enhancer import IntelligentEnhancer

logger = logging.getLogger(__name__)


class ImageService(PictureFacts):
    """What the tab does, for all browsers. Every method may be called from any thread.

    Args:
        enhance: see ``ui.app.build``.
        enhancer: analyses pictures; made at the first use when not given.
        prepare: an executor's (settings, pixels of the input), called while a person still chooses.
    """

    def __init__(
        self,
        config: Any,
        manager: ModelManager,
        enhance: EnhanceFile,
        enhancer: IntelligentEnhancer | None = None,
        prepare: Callable[[EnhanceSettings, int], None] | None = None,
    ) -> None:
        super().__init__(config, manager, enhancer)
        self._enhance, self._prepare = enhance, prepare
        self._restorer: FaceRestorer | None = None
        self._history = History.from_config(config) if config.history else None

    def prepare(self, path: Path | str, settings: EnhanceSettings) -> None:
        """Have ready what "Enhance" would need now; returns at once."""
        if self._prepare is None:
            return
        if settings.model == "auto":
            settings = settings.but(model=self.automatic(path, settings))
        width, height = next(iter(self._sizes(Path(path), self.probe(path, settings), settings)[0]))
        self._prepare(settings, width * height)

    # -- running -----------------------------------------------------------------------------------------------------

    def workspace(self, visitor: Visitor) -> Workspace:
        """The browser's workspace; at the first call with the results of earlier starts of the program."""
        with self._lock:
            made = visitor.memory.get("image")
            if made is None:
                made = visitor.memory["image"] = Workspace()
                for run in self._earlier(visitor):
                    made.add(run)
        return made

    def open(self, visitor: Visitor, path: Path) -> View | None:
        """Put a picture in the workspace. None and no change when it is there already."""
        workspace = self.workspace(visitor)
        with workspace.lock:
            if workspace.upload is not None and same_file(workspace.upload, path):
                return None
        view = self.view_of_input(visitor, path)  # of its first page
        with workspace.lock:
            workspace.lay(path)
        return view

    def show_page(self, visitor: Visitor, path: Path, settings: EnhanceSettings) -> View | None:
        """The first page that the settings choose, on the stage; None where it is there already."""
        return self.view_of_input(visitor, path) if self.turn_page(self.workspace(visitor), path, settings) else None

    def enhance(self, visitor: Visitor, path: Path, settings: EnhanceSettings, control: JobControl) -> Run:
        """Enhance the file into the browser's folder, judge and keep the result. Raises ``EngineError``.

        Shown when the picture is still in the workspace; others may be opened meanwhile.
        """
        workspace = self.workspace(visitor)  # before the run: it takes over what the history holds
        with reserved(default_output_path(path, visitor.folder, settings)) as target:
            result = self._run(path, target, settings, control)
        result = replace(result, metrics={**result.metrics, "tile": result.tile})
        run = run_of_result(
            replace(result, metrics={**result.metrics, "peak_memory_mb": round(result.peak_memory_mb)}),
            input_name=path.name,
            input_path=str(path),
            input_hash="",
            key="",
            settings=settings.model_dump(mode="json", exclude_defaults=True),
        )
        judged = _judged(self.first_page(visitor, run), target, self.config)
        run = self._with_differences(visitor, replace(run, metrics={**run.metrics, **judged}))
        previews.thumbnail(target, visitor.folder)
        with workspace.lock:
            return workspace.add(run, show=workspace.upload is not None and same_file(workspace.upload, path))

    def _run(self, path: Path, target: Path, settings: EnhanceSettings, control: JobControl) -> EnhanceResult:
        if self._history is None:
            return self._enhance(path, target, settings, control=control, overwrite=True)
        recorder = Recorder(self._history, self.manager, self.config, self._enhance)
        return recorder.enhance_file(path, target, settings, control=control, overwrite=True)

    def _earlier(self, visitor: Visitor) -> list[Run]:
        """Results of this browser's folder in the history, oldest first."""
        if self._history is None:
            return []
        try:
            found = self._history.query(text=visitor.folder.name, outcome="done", limit=KEPT)
        except HistoryError as error:
            logger.warning("%s", error)
            return []
        return [run for run in reversed(found) if run.output_is_there]

    # -- after a run -------------------------------------------------------------------------------------------------

    def readjust(
        self, visitor: Visitor, run: Run | None, *, fidelity: float | None = None, faces: float | None = None
    ) -> Run | None:
        """A result of the workspace with another fidelity or strength of its faces, as a file of its own.

        None when there is nothing to move. What is not given stays as it was moved last.
        """
        if run is None or not (self.can_readjust(run) or self.can_adjust_faces(run)):
            return None
        base = workspace_base(run)
        settings = EnhanceSettings.create(**base["settings"])
        wanted = float(run.settings.get("fidelity", 0.0)) if fidelity is None else fidelity
        strength = float(run.settings.get("face_strength", settings.face_strength)) if faces is None else faces
        # Faces first: their restored pixels are remembered for the file that the run wrote.
        target = Path(base["output_path"])
        if abs(strength - settings.face_strength) > 1e-6 and self.can_adjust_faces(run):
            source, target = target, target.with_name(f"{target.stem}_faces{round(strength * 100):02d}{target.suffix}")
            if not target.exists():
                adjust_faces(source, target, cache_dir=self.config.cache_dir, strength=strength)
        if abs(wanted - settings.fidelity) > 1e-6 and self.can_readjust(run):
            source, target = target, target.with_name(f"{target.stem}_fidelity{round(wanted * 100):02d}{target.suffix}")
            if not target.exists():
                readjust_fidelity(source, run.input_path, settings, wanted, target, config=self.config)
        size = target.stat().st_size
        moved = replace(
            run,
            output_path=str(target),
            output_bytes=size,
            settings={**run.settings, "fidelity": wanted, "face_strength": strength},
            metrics={
                **run.metrics,
                **_judged(Path(run.input_path), target, self.config),
                "base": base,
                "enhanced_bytes": size,
            },
        )
        previews.thumbnail(target, visitor.folder)
        return self.workspace(visitor).add(self._with_differences(visitor, moved), instead_of=run)

    def _with_differences(self, visitor: Visitor, run: Run) -> Run:
        """The run with how it differs, where that is quickly seen; what was known before holds no longer."""
        run = replace(run, metrics={name: value for name, value in run.metrics.items() if name != "differs"})
        if run.output_size[0] * run.output_size[1] > differences.AT_ONCE_PIXELS:
            return run
        try:
            return self._look(visitor, run)[1]
        except EngineError as error:
            logger.warning("No differences: %s", error)
            return run

    def _look(self, visitor: Visitor, run: Run) -> tuple[Invention | None, Run]:
        view = self.view(visitor, run)
        if not (view.before and view.after):
            return None, run
        found, kept = differences.look(view, Path(run.output_path))
        return found, replace(run, metrics={**run.metrics, "differs": kept})

    def heat(self, visitor: Visitor, run: Run) -> tuple[View, Run] | None:
        """The stage with a map of where a result differs over it; None where there is nothing to compare with."""
        found, known = self._look(visitor, run)
        if found is None:
            return None
        shown = replace(self.view(visitor, run), heat=differences.heat_file(found, visitor.folder))
        return shown, self.workspace(visitor).renew(known)

    def can_adjust_faces(self, run: Run) -> bool:
        """Whether the strength of restored faces can be moved after the run."""
        if not run.settings.get("face_enhance"):
            return False
        path = Path(workspace_base(run)["output_path"])
        return path.exists() and adjustable(path, self.config.cache_dir) is not None

    def can_readjust(self, run: Run) -> bool:
        """Whether fidelity can be moved after the run."""
        if run.model in RESAMPLERS or not Path(run.input_path).exists() or not Path(run.output_path).exists():
            return False
        try:
            settings = EnhanceSettings.create(**workspace_base(run)["settings"])
            info = image_io.probe(run.input_path, self._accepted)
        except EngineError:
            return False
        base = Path(workspace_base(run)["output_path"])
        if not base.exists() or (settings.face_enhance and load_layer(base, self.config.cache_dir) is None):
            return False  # else its faces would be lost
        if is_document(info, settings, base):
            return False
        return not settings.skip_if_large_enough and can_readjust(settings, info.frames)

    # -- faces -------------------------------------------------------------------------------------------------------

    def find_faces(self, visitor: Visitor, path: Path, settings: EnhanceSettings) -> tuple[Box, ...]:
        """Every face as a box on the stage, with what the settings and the person's choices say about it."""
        with self._lock:
            if self._restorer is None:
                self._restorer = FaceRestorer(self.manager)
        workspace = self._workspace_with(visitor, path)
        picture = image_io.load(self.open_page(visitor, workspace, path), limits_of(self.config, settings))
        found = self._restorer.find(picture, self.with_faces(visitor, path, settings))
        with workspace.lock:
            if workspace.upload is not None and same_file(workspace.upload, path):
                workspace.seen = picture.size, tuple(one.face for one in found)
                workspace.faces = {one.number: one.restore for one in found}
        return boxes_of(found)

    def turn_face(self, visitor: Visitor, path: Path, number: int, settings: EnhanceSettings) -> tuple[Box, ...]:
        """The person clicked a face: restore it, or leave it alone. The boxes as they are then."""
        workspace = self._workspace_with(visitor, path)
        with workspace.lock:
            if number in workspace.faces:
                workspace.faces[number] = not workspace.faces[number]
                workspace.chosen = True
            chosen = self.with_faces(visitor, path, settings)
            if workspace.seen is not None and (chosen.face_keep or chosen.face_skip):
                size, faces = workspace.seen
                # Every face was decided by hand: nothing is left that needs a look at the pixels.
                found = choose(faces, chosen, Surroundings(size, drawn=0.0, blur=lambda face: 0.0))
                workspace.faces = {one.number: one.restore for one in found}
                return boxes_of(found)
        return self.find_faces(visitor, path, settings)

    def with_faces(self, visitor: Visitor, path: Path, settings: EnhanceSettings) -> EnhanceSettings:
        """The settings with the faces that the person chose on this picture.

        To be asked at the click: when a job's turn comes, another picture may lie in the workspace.
        """
        workspace = self._workspace_with(visitor, path)
        with workspace.lock:
            if not workspace.chosen or not settings.face_enhance or len(self.numbers(path, settings)) > 1:
                return settings  # numbers of faces hold for one page
            kept = tuple(number for number, on in workspace.faces.items() if on)
            return settings.but(face_keep=kept) if kept else settings.but(face_skip=tuple(workspace.faces))

    def _workspace_with(self, visitor: Visitor, path: Path) -> Workspace:
        """The browser's workspace with the picture that this window works on, whatever another window opened."""
        workspace = self.workspace(visitor)
        with workspace.lock:
            if workspace.upload is None or not same_file(workspace.upload, path):
                workspace.lay(path)
            workspace.upload = path  # of two files with the same picture the newer one is kept longer
        return workspace

    # -- parts of a picture ------------------------------------------------------------------------------------------

    def region(
        self,
        visitor: Visitor,
        path: Path,
        center: tuple[float, float] | None,
        settings: EnhanceSettings,
        control: JobControl,
    ) -> tuple[RegionPreview, View]:
        """A part at full quality, and how the stage shows it."""
        workspace = self.workspace(visitor)
        with workspace.lock:
            workspace.center = center
        page = self.open_page(visitor, workspace, path)
        part = enhance_region(
            page, center, settings, enhance=self._enhance, manager=self.manager, config=self.config, control=control
        )
        before = previews.write(previews.flat(part.before), visitor.folder, part.before)
        after = previews.write(previews.flat(part.after), visitor.folder, part.after)
        size = part.after.size
        return part, View(str(before), str(after), *size, input_width=part.box[2], key=str(after))

    def compare(
        self, visitor: Visitor, path: Path, models: list[str], settings: EnhanceSettings, control: JobControl
    ) -> list[Compared]:
        """The part that was tried last, or the one with most detail, through several models; first the original.

        A model that fails says why.
        """
        page = self.open_page(visitor, self.workspace(visitor), path)
        picture = image_io.load(page, limits_of(self.config, settings))
        center = self.workspace(visitor).center or liveliest_center(picture)
        box = region_box(picture.size, center, REGION_SIDE // 2)
        plain = previews.write(previews.flat(crop(picture, box)), visitor.folder, picture)
        made = [Compared("", str(plain))]
        for index, name in enumerate(models):
            control.check()
            control.report(Progress(name, index, len(models), index / len(models)))
            inner = JobControl(_cancelled=control._cancelled)
            try:
                part = enhance_region(
                    picture,
                    center,
                    settings.but(model=name, denoise_strength=None, face_enhance=False),
                    enhance=self._enhance,
                    manager=self.manager,
                    config=self.config,
                    side=REGION_SIDE // 2,
                    control=inner,
                )
            except EngineError as error:
                if control.cancelled:
                    raise
                made.append(Compared(name, problem=str(error)))
                continue
            file = previews.write(previews.flat(part.after), visitor.folder, part.after)
            made.append(Compared(name, str(file), part.seconds))
        return made

    # -- how it is shown ---------------------------------------------------------------------------------------------

    def view_of_input(self, visitor: Visitor, path: Path, boxes: tuple[Box, ...] = (), picking: int = 0) -> View:
        """The stage with a picture before any run."""
        page = self.open_page(visitor, self.workspace(visitor), path)
        info = image_io.probe(page, self._accepted)
        return View(
            previews.shown(page, visitor.folder),
            None,
            info.width,
            info.height,
            input_width=info.width,
            boxes=boxes,
            picking=picking,
            key=str(page),
        )

    def view(self, visitor: Visitor, run: Run) -> View:
        """The stage with a result beside its input."""
        output, source = Path(run.output_path), Path(run.input_path)
        if not output.exists():
            return EMPTY
        width, height = run.output_size
        before = self._before(visitor, run) if source.exists() else None
        after = previews.shown(output, visitor.folder)
        fidelity = float(run.settings.get("fidelity", 0.0))
        key = f"{run.input_path} {width}x{height}"
        return View(before, after, width, height, input_width=run.input_size[0], fidelity=fidelity, key=key, run=run.id)

    def _before(self, visitor: Visitor, run: Run) -> str | None:
        """The input as it lies under the result: cropped where the run cropped, padded where it padded."""
        try:
            plan = plan_size(*run.input_size, EnhanceSettings.create(**run.settings), max_output_pixels=10**12)
        except EngineError:
            plan = None
        path = self.first_page(visitor, run)
        if plan is None or plan.canvas == plan.content:
            return previews.cropped(path, plan.crop if plan else None, visitor.folder)
        picture = image_io.load(path, self._accepted)
        pixels, (left, top) = previews.flat(picture), (round(side / plan.scale) for side in plan.offset)
        canvas = np.zeros(
            (round(plan.canvas[1] / plan.scale), round(plan.canvas[0] / plan.scale), pixels.shape[2]), np.uint8
        )
        fits = canvas[top : top + picture.height, left : left + picture.width]
        fits[:] = pixels[: fits.shape[0], : fits.shape[1]]
        return str(previews.write(canvas, visitor.folder, picture))


def _judged(source: Path, output: Path, config: Any) -> dict[str, Any]:
    """How the result compares with its input; nothing where it cannot be said."""
    try:
        return calculate_image_metrics(source, output, limits=replace(result_limits_of(config), salvage=True))
    except EngineError as error:
        logger.warning("No metrics: %s", error)
        return {}
