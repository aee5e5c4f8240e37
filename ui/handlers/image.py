"""The Image tab's work: plain functions and values, tested without a browser."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.estimates import Estimate, estimate
from engine.face_restorer import FaceRestorer
from engine.faces.adjust import adjust_faces, adjustable
from engine.faces.choose import FoundFace, Surroundings, choose
from engine.faces.layer import load_layer
from engine.history import History, Run, run_of_result
from engine.model_manager import ModelManager
from engine.output_names import default_output_path, reserved
from engine.readjust import can_readjust, readjust_fidelity
from engine.recording import Recorder
from engine.region import REGION_SIDE, RegionPreview, enhance_region, liveliest_center, region_box
from engine.sizing import plan_size
from engine.task import automatic_model, limits_of, result_limits_of
from engine.types import RESAMPLERS, EnhanceResult, EnhanceSettings, JobControl, Progress
from ui import previews
from ui.handlers.common import MODES
from ui.handlers.desk import KEPT, Compared, Desk, desk_base, same_file
from ui.sessions import Session
from ui.viewer import EMPTY, Box, View
from utils import image_io
from utils.errors import EngineError, HistoryError
from utils.metrics import calculate_image_metrics
from utils.picture import crop

if TYPE_CHECKING:
    from engine.intelligent_enhancer import IntelligentEnhancer, Recommendation

logger = logging.getLogger(__name__)


class ImageWork:
    """What the tab does, for all browsers. Every method may be called from any thread.

    Args:
        enhance: see ``ui.app.build``.
        enhancer: analyses pictures; made at the first use when not given.
    """

    def __init__(
        self,
        config: Any,
        manager: ModelManager,
        enhance: Callable[..., EnhanceResult],
        enhancer: IntelligentEnhancer | None = None,
    ) -> None:
        self.config, self.manager, self._enhance = config, manager, enhance
        self._enhancer = enhancer
        self._restorer: FaceRestorer | None = None
        self._history = History.from_config(config) if getattr(config, "history", False) else None
        self._lock = threading.Lock()

    # -- looking at a picture ----------------------------------------------------------------------------------------

    def probe(self, path: Path | str) -> image_io.ImageInfo:
        """Facts from the file's header. Raises ``EngineError`` for what cannot be used."""
        return image_io.probe(Path(path), limits_of(self.config))

    def recommend(self, path: Path | str) -> Recommendation:
        """What the engine found, and the settings that it would choose."""
        from engine.intelligent_enhancer import IntelligentEnhancer

        with self._lock:
            if self._enhancer is None:
                self._enhancer = IntelligentEnhancer(self.manager, limits=limits_of(self.config))
        return self._enhancer.recommend(Path(path))

    def estimate(self, path: Path | str, settings: EnhanceSettings) -> tuple[tuple[int, int], Estimate]:
        """(width, height) of the output, and what it will cost. Raises ``EngineError`` where it cannot be made."""
        info = self.probe(path)
        model = self.automatic(path, settings) if settings.model == "auto" else settings.model
        plan = plan_size(
            info.width, info.height, settings, max_output_pixels=int(self.config.max_output_megapixels * 1e6)
        )
        kind = settings.format if settings.format != "auto" else info.format.lower()
        expected = estimate(self.manager, model, info.width, info.height, plan.scale, output_format=kind)
        frames = max(1, info.frames)
        return plan.canvas, replace(expected, seconds=expected.seconds * frames)

    def automatic(self, path: Path | str, settings: EnhanceSettings) -> str:
        """The model that "auto" means for a picture. Raises ``EngineError``."""
        return automatic_model(Path(path), self.probe(path), settings, self.manager, self.config).model

    def seconds_by_mode(self, path: Path | str, settings: EnhanceSettings) -> dict[str, float]:
        """Expected seconds of the automatic model for every quality that the form offers."""
        wanted = [settings.but(model="auto", mode=mode) for mode in MODES]
        return {one.mode: self.estimate(path, one)[1].seconds for one in wanted}

    # -- running -----------------------------------------------------------------------------------------------------

    def desk(self, session: Session) -> Desk:
        """The browser's desk; at the first call with the results of earlier starts of the program."""
        with self._lock:
            made = session.memory.get("image")
            if made is None:
                made = session.memory["image"] = Desk()
                for run in self._earlier(session):
                    made.add(run)
        return made

    def open(self, session: Session, path: Path) -> View | None:
        """Lay a picture on the desk. None when it lies there already, perhaps with a result: nothing changes then."""
        desk = self.desk(session)
        with desk.lock:
            if desk.upload is not None and same_file(desk.upload, path):
                return None
        view = self.view_of_input(session, path)
        with desk.lock:
            desk.lay(path)
        return view

    def enhance(self, session: Session, path: Path, settings: EnhanceSettings, control: JobControl) -> Run:
        """Enhance the file into the browser's folder, judge the result, keep it on the desk. Raises ``EngineError``.

        The result goes on the stage where the picture still lies on the desk; another may have been opened meanwhile.
        """
        desk = self.desk(session)  # before the run: it takes over what the history holds
        with reserved(default_output_path(path, session.folder, settings)) as target:
            result = self._run(path, target, settings, control)
        result = replace(result, metrics={**result.metrics, **_judged(path, target, self.config), "tile": result.tile})
        run = run_of_result(
            replace(result, metrics={**result.metrics, "peak_memory_mb": round(result.peak_memory_mb)}),
            input_name=path.name,
            input_path=str(path),
            input_hash="",
            key="",
            settings=settings.model_dump(mode="json", exclude_defaults=True),
        )
        previews.thumbnail(target, session.folder)
        with desk.lock:
            return desk.add(run, show=desk.upload is not None and same_file(desk.upload, path))

    def _run(self, path: Path, target: Path, settings: EnhanceSettings, control: JobControl) -> EnhanceResult:
        if self._history is None:
            return self._enhance(path, target, settings, control=control, overwrite=True)
        recorder = Recorder(self._history, self.manager, self.config, self._enhance)
        return recorder.enhance_file(path, target, settings, control=control, overwrite=True)

    def _earlier(self, session: Session) -> list[Run]:
        """Results of this browser's folder in the history, oldest first."""
        if self._history is None:
            return []
        try:
            found = self._history.query(text=session.folder.name, outcome="done", limit=KEPT)
        except HistoryError as error:
            logger.warning("%s", error)
            return []
        return [run for run in reversed(found) if run.output_is_there]

    # -- after a run -------------------------------------------------------------------------------------------------

    def readjust(
        self, session: Session, run: Run | None, *, fidelity: float | None = None, faces: float | None = None
    ) -> Run | None:
        """A result of the desk with another fidelity or strength of its faces, as a file of its own.

        None when there is nothing to move. What is not given stays as it was moved last.
        """
        if run is None or not (self.can_readjust(run) or self.can_adjust_faces(run)):
            return None
        base = desk_base(run)
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
        previews.thumbnail(target, session.folder)
        return self.desk(session).add(moved, instead_of=run)

    def can_adjust_faces(self, run: Run) -> bool:
        """Whether the strength of restored faces can be moved after the run."""
        if not run.settings.get("face_enhance"):
            return False
        path = Path(desk_base(run)["output_path"])
        return path.exists() and adjustable(path, self.config.cache_dir) is not None

    def can_readjust(self, run: Run) -> bool:
        """Whether fidelity can be moved after the run."""
        if run.model in RESAMPLERS or not Path(run.input_path).exists() or not Path(run.output_path).exists():
            return False
        try:
            settings, info = EnhanceSettings.create(**desk_base(run)["settings"]), self.probe(run.input_path)
        except EngineError:
            return False
        base = Path(desk_base(run)["output_path"])
        if not base.exists() or (settings.face_enhance and load_layer(base, self.config.cache_dir) is None):
            return False  # else its faces would be lost
        return not settings.skip_if_large_enough and can_readjust(settings, info.frames)

    # -- faces -------------------------------------------------------------------------------------------------------

    def find_faces(self, session: Session, path: Path, settings: EnhanceSettings) -> tuple[Box, ...]:
        """Every face as a box on the stage, with what the settings and the person's choices say about it."""
        with self._lock:
            if self._restorer is None:
                self._restorer = FaceRestorer(self.manager)
        desk = self._desk_with(session, path)
        picture = image_io.load(path, limits_of(self.config))
        found = self._restorer.find(picture, self.with_faces(session, path, settings))
        with desk.lock:
            if desk.upload is not None and same_file(desk.upload, path):
                desk.seen = picture.size, tuple(one.face for one in found)
                desk.faces = {one.number: one.restore for one in found}
        return _boxes(found)

    def turn_face(self, session: Session, path: Path, number: int, settings: EnhanceSettings) -> tuple[Box, ...]:
        """The person clicked a face: restore it, or leave it alone. The boxes as they are then."""
        desk = self._desk_with(session, path)
        with desk.lock:
            if number in desk.faces:
                desk.faces[number] = not desk.faces[number]
                desk.chosen = True
            chosen = self.with_faces(session, path, settings)
            if desk.seen is not None and (chosen.face_keep or chosen.face_skip):
                size, faces = desk.seen
                # Every face was decided by hand: nothing is left that needs a look at the pixels.
                found = choose(faces, chosen, Surroundings(size, drawn=0.0, blur=lambda face: 0.0))
                desk.faces = {one.number: one.restore for one in found}
                return _boxes(found)
        return self.find_faces(session, path, settings)

    def with_faces(self, session: Session, path: Path, settings: EnhanceSettings) -> EnhanceSettings:
        """The settings with the faces that the person chose on this picture.

        To be asked at the click: when a job's turn comes, another picture may lie on the desk.
        """
        desk = self._desk_with(session, path)
        with desk.lock:
            if not desk.chosen or not settings.face_enhance:
                return settings
            kept = tuple(number for number, on in desk.faces.items() if on)
            return settings.but(face_keep=kept) if kept else settings.but(face_skip=tuple(desk.faces))

    def _desk_with(self, session: Session, path: Path) -> Desk:
        """The browser's desk with the picture that this window works on, whatever another window opened."""
        desk = self.desk(session)
        with desk.lock:
            if desk.upload is None or not same_file(desk.upload, path):
                desk.lay(path)
            desk.upload = path  # of two files with the same picture the newer one is kept longer
        return desk

    # -- parts of a picture ------------------------------------------------------------------------------------------

    def region(
        self,
        session: Session,
        path: Path,
        center: tuple[float, float] | None,
        settings: EnhanceSettings,
        control: JobControl,
    ) -> tuple[RegionPreview, View]:
        """A part at full quality, and how the stage shows it."""
        desk = self.desk(session)
        with desk.lock:
            desk.center = center
        part = enhance_region(
            path, center, settings, enhance=self._enhance, manager=self.manager, config=self.config, control=control
        )
        before = previews.write(previews.flat(part.before), session.folder, part.before)
        after = previews.write(previews.flat(part.after), session.folder, part.after)
        size = part.after.size
        return part, View(str(before), str(after), *size, input_width=part.box[2], key=str(after))

    def compare(
        self, session: Session, path: Path, models: list[str], settings: EnhanceSettings, control: JobControl
    ) -> list[Compared]:
        """The part that was tried last, or the one with most detail, through several models; first the original.

        A model that fails says why.
        """
        picture = image_io.load(path, limits_of(self.config))
        center = self.desk(session).center or liveliest_center(picture)
        box = region_box(picture.size, center, REGION_SIDE // 2)
        plain = previews.write(previews.flat(crop(picture, box)), session.folder, picture)
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
            file = previews.write(previews.flat(part.after), session.folder, part.after)
            made.append(Compared(name, str(file), part.seconds))
        return made

    # -- how it is shown ---------------------------------------------------------------------------------------------

    def view_of_input(self, session: Session, path: Path, boxes: tuple[Box, ...] = (), picking: int = 0) -> View:
        """The stage with a picture before any run."""
        info = self.probe(path)
        return View(
            previews.shown(path, session.folder),
            None,
            info.width,
            info.height,
            input_width=info.width,
            boxes=boxes,
            picking=picking,
            key=str(path),
        )

    def view(self, session: Session, run: Run) -> View:
        """The stage with a result beside its input."""
        output, source = Path(run.output_path), Path(run.input_path)
        if not output.exists():
            return EMPTY
        width, height = run.output_size
        before = self._before(session, run) if source.exists() else None
        after = previews.shown(output, session.folder)
        fidelity = float(run.settings.get("fidelity", 0.0))
        key = f"{run.input_path} {width}x{height}"
        return View(before, after, width, height, input_width=run.input_size[0], fidelity=fidelity, key=key, run=run.id)

    def _before(self, session: Session, run: Run) -> str | None:
        """The input as it lies under the result: cropped where the run cropped, padded where it padded."""
        try:
            plan = plan_size(*run.input_size, EnhanceSettings.create(**run.settings), max_output_pixels=10**12)
        except EngineError:
            plan = None
        path = Path(run.input_path)
        if plan is None or plan.canvas == plan.content:
            return previews.cropped(path, plan.crop if plan else None, session.folder)
        picture = image_io.load(path, limits_of(self.config))
        pixels, (left, top) = previews.flat(picture), (round(side / plan.scale) for side in plan.offset)
        canvas = np.zeros(
            (round(plan.canvas[1] / plan.scale), round(plan.canvas[0] / plan.scale), pixels.shape[2]), np.uint8
        )
        fits = canvas[top : top + picture.height, left : left + picture.width]
        fits[:] = pixels[: fits.shape[0], : fits.shape[1]]
        return str(previews.write(canvas, session.folder, picture))


def _boxes(found: Sequence[FoundFace]) -> tuple[Box, ...]:
    return tuple(
        Box(one.number, left, top, right - left, bottom - top, one.restore, one.reason)
        for one in found
        for left, top, right, bottom in [one.box]
    )


def _judged(source: Path, output: Path, config: Any) -> dict[str, Any]:
    """How the result compares with its input; nothing where it cannot be said."""
    try:
        return calculate_image_metrics(source, output, limits=result_limits_of(config))
    except EngineError as error:
        logger.warning("No metrics: %s", error)
        return {}
