"""Documents: every page of a TIFF or PDF is enhanced as a picture of its own, and written as a page.

One page is in memory and on the disk at a time, beside the growing result. A page that cannot be enhanced stops no
other: it is put in as it is where it can be decoded, else left out, and the result says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from engine.imaging.context import JobContext
from engine.imaging.task import limits_of, settings_comment
from engine.storage.output_names import check_output, output_format
from engine.types import EnhanceResult, EnhanceSettings, JobControl, Timings
from utils.documents import Document, PageHeader, open_document
from utils.errors import InvalidImageError, InvalidSettingsError, OutOfMemoryError
from utils.files import folder_beside
from utils.gpu import peak_memory_mb
from utils.image_files import ImageInfo, ImageLimits, output_suffix
from utils.json_types import JsonObject
from utils.page_numbers import chosen_pages
from utils.tiff_pages import named_tags
from utils.writers.documents import DocumentWriter, FinishedPage, PdfDocumentWriter, TiffDocumentWriter

PAGED_FORMATS = ("tiff", "pdf")
"""What holds several pages."""
_OF_THE_PAGE = (InvalidImageError, InvalidSettingsError, OutOfMemoryError)
"""What one page may fail with while the next is fine."""
_PAGE_NAMES = (269, 285)
"""TIFF's DocumentName and PageName."""
_PLAIN = {
    "model": "lanczos",
    "scale": 1.0,
    **dict.fromkeys(("width", "height", "long_edge", "print_size", "denoise_strength")),
    "face_enhance": False,
    "fidelity": 0.0,
    "seamless": "off",
    "skip_if_large_enough": False,
}
"""Settings under which a page is written as it is."""

RunPage = Callable[[Path, Path, EnhanceSettings, JobContext], EnhanceResult]
"""Enhances one picture file: (input, output, settings, context). Raises as ``enhance_file``."""


@dataclass(frozen=True)
class _Outcome:
    """What became of a page. ``result`` is None where it was left out, ``problem`` says why it was not enhanced."""

    number: int
    result: EnhanceResult | None
    problem: str = ""

    @property
    def enhanced(self) -> bool:
        return self.result is not None and not self.problem


def is_document(info: ImageInfo, settings: EnhanceSettings, output_path: Path) -> bool:
    """Whether pages are to be enhanced: the input has some, some are asked for, or the result is a PDF."""
    return info.is_document or bool(settings.pages) or output_format(settings, info.format, output_path) == "pdf"


def enhance_document(
    info: ImageInfo,
    output_path: Path,
    settings: EnhanceSettings,
    context: JobContext,
    run_page: RunPage,
) -> EnhanceResult:
    """Enhance a document's pages into a TIFF or PDF, or its one chosen page into a picture of any format.

    ``input_size`` and ``output_size`` of the result are those of its first page, ``model`` and the like those of the
    first page that was enhanced. Its metrics
    count ``pages``, and name ``pages_unenhanced`` (put in as they are) and ``pages_left_out``.

    Raises:
        EngineError: no page could be enhanced, or what ``enhance_file`` raises that is no single page's fault.
    """
    started = time.perf_counter()
    path = info.path
    assert path is not None
    check_output(path, output_path, context.overwrite)
    kind = output_format(settings, info.format, output_path)
    numbers = chosen_pages(settings.pages, info.pages, path.name)
    _check(path.name, numbers, kind, settings)
    limits = limits_of(context.config, settings)
    with open_document(path, limits, settings.pdf_dpi) as document, folder_beside(output_path) as folder:
        run = _DocumentRun(document, numbers, kind, settings, context, run_page)
        if kind not in PAGED_FORMATS:
            result = run.only_page(folder, output_path)
        else:
            with run.writer(output_path) as writer:
                outcomes = run.outcomes(folder, writer)
                context.control.check()
                writer.commit()
            result = _result(outcomes)
    return replace(
        result,
        input_path=path,
        output_path=output_path,
        timings=replace(result.timings, total=time.perf_counter() - started),
        metrics={
            **result.metrics,
            "original_bytes": info.file_bytes,
            "enhanced_bytes": output_path.stat().st_size,
        },
        peak_memory_mb=peak_memory_mb(),
    )


def page_headers(
    path: Path, settings: EnhanceSettings, limits: ImageLimits, numbers: tuple[int, ...]
) -> Iterator[PageHeader | None]:
    """The sizes of pages; None for one that cannot be used. Raises as ``open_document``."""
    with open_document(path, limits, settings.pdf_dpi) as document:
        for number in numbers:
            yield _header(document, number)


def _header(document: Document, number: int) -> PageHeader | None:
    try:
        return document.header(number)
    except InvalidImageError:
        return None


def _check(name: str, numbers: tuple[int, ...], kind: str, settings: EnhanceSettings) -> None:
    """Refuse what cannot be done with several pages."""
    if kind not in PAGED_FORMATS and len(numbers) > 1:
        raise InvalidSettingsError(
            f"'{name}' has {len(numbers)} pages to be enhanced, and {kind.upper()} holds one. Save as TIFF or PDF, or "
            "choose one page (--pages 1)."
        )
    if len(numbers) > 1 and (settings.face_keep or settings.face_skip):
        raise InvalidSettingsError(
            f"Faces are numbered on one page, and '{name}' has {len(numbers)} to be enhanced. Choose one page "
            "(--pages 1) or no faces."
        )
    if kind in PAGED_FORMATS and settings.max_megabytes is not None:
        raise InvalidSettingsError(
            f"'{name}' becomes a document, for which no largest file size can be kept. Leave that out, or choose one "
            "page (--pages 1) and save it as JPEG."
        )


class _DocumentRun:
    """One document on its way."""

    def __init__(
        self,
        document: Document,
        numbers: tuple[int, ...],
        kind: str,
        settings: EnhanceSettings,
        context: JobContext,
        run_page: RunPage,
    ) -> None:
        self._document, self._numbers, self._kind, self._settings = document, numbers, kind, settings
        self._context, self._run_page = replace(context, faces_from=None), run_page
        self._picture = "tiff" if kind == "tiff" else "png" if settings.lossless else "jpeg"
        self._page_settings = settings.but(pages="", format=self._picture, max_megabytes=None)

    def only_page(self, folder: Path, output_path: Path) -> EnhanceResult:
        """A single page as a picture file."""
        source = self._source(self._numbers[0], folder)
        self._document.write_page(self._numbers[0], source)
        result = self._run_page(source, output_path, self._settings.but(pages=""), self._context)
        return replace(result, metrics={**result.metrics, "pages": 1})

    def _source(self, number: int, folder: Path) -> Path:
        return folder / f"page-{number}{self._document.suffix}"

    @contextmanager
    def writer(self, path: Path) -> Iterator[DocumentWriter]:
        """The document to write to."""
        comment = settings_comment(self._settings) if self._settings.embed_settings else None
        facts = {} if self._settings.exif == "drop" else self._document.facts()
        made = (
            TiffDocumentWriter(path, len(self._numbers))
            if self._kind == "tiff"
            else PdfDocumentWriter(path, facts, comment)
        )
        with made as writer:
            yield writer

    def outcomes(self, folder: Path, writer: DocumentWriter) -> list[_Outcome]:
        """Enhance and write every page. Raises the first page's error where none could be enhanced."""
        began, made = time.monotonic(), list[_Outcome]()
        first_error: Exception | None = None
        for index, number in enumerate(self._numbers):
            self._context.control.check()
            control = self._context.control.page(index, len(self._numbers), began)
            try:
                made.append(self._enhanced(number, folder, writer, control))
            except _OF_THE_PAGE as error:
                first_error = first_error or error
                made.append(self._as_it_is(number, folder, writer, control, str(error)))
            for left in folder.iterdir():
                with suppress(OSError):
                    left.unlink()
        if first_error is not None and not any(one.enhanced for one in made):
            raise first_error
        return made

    def _enhanced(self, number: int, folder: Path, writer: DocumentWriter, control: JobControl) -> _Outcome:
        header, source = self._document.header(number), self._source(number, folder)
        self._document.write_page(number, source)
        return _Outcome(number, self._add(number, header, source, self._page_settings, writer, control))

    def _as_it_is(
        self, number: int, folder: Path, writer: DocumentWriter, control: JobControl, problem: str
    ) -> _Outcome:
        """Put a page in that could not be enhanced, if it can be decoded at all."""
        source = self._source(number, folder)
        if not source.exists():
            return _Outcome(number, None, problem)
        try:
            header = self._document.header(number)
            plain = self._page_settings.but(**_PLAIN)
            return _Outcome(number, self._add(number, header, source, plain, writer, control), problem)
        except _OF_THE_PAGE:
            return _Outcome(number, None, problem)

    def _add(
        self,
        number: int,
        header: PageHeader,
        source: Path,
        settings: EnhanceSettings,
        writer: DocumentWriter,
        control: JobControl,
    ) -> EnhanceResult:
        target = source.with_name(f"enhanced-{number}{output_suffix(self._picture)}")
        result = self._run_page(source, target, settings, replace(self._context, control=control))
        dpi, points = _on_paper(header, settings, result)
        tags = []
        if self._kind == "tiff" and self._document.suffix == ".tif" and settings.exif != "drop":
            with source.open("rb") as stream:
                tags = named_tags(stream, _PAGE_NAMES)
        writer.add(FinishedPage(target, dpi, points, tags))
        return result


def _on_paper(
    header: PageHeader, settings: EnhanceSettings, result: EnhanceResult
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Dots an inch and points of a finished page; None where the picture's own resolution holds.

    A PDF's page keeps its size on paper, unless a print size is asked for, or it was cropped, padded or stretched.
    """
    if header.dpi is None or header.points is None or settings.print_size is not None:
        return None, None
    (width, height), scale = result.output_size, result.scale
    if abs(width - header.width * scale) > 1 or abs(height - header.height * scale) > 1:
        return (header.dpi[0] * scale, header.dpi[1] * scale), None
    return (width / header.points[0] * 72, height / header.points[1] * 72), header.points


def _result(outcomes: list[_Outcome]) -> EnhanceResult:
    """All pages' results as one."""
    done = [one.result for one in outcomes if one.enhanced and one.result is not None]
    first = done[0]
    unenhanced = [one.number for one in outcomes if one.problem and one.result is not None]
    left_out = [one.number for one in outcomes if one.result is None]
    written = next(one.result for one in outcomes if one.result is not None)
    metrics: JsonObject = {
        "pages": len(outcomes) - len(left_out),
        **({"pages_unenhanced": unenhanced} if unenhanced else {}),
        **({"pages_left_out": left_out} if left_out else {}),
        **_joined([one.metrics for one in done]),
    }
    missing = [one.metrics["missing_percent"] for one in done if "missing_percent" in one.metrics]
    if missing:
        metrics["missing_percent"] = round(sum(missing) / len(done), 2)
    models = Counter(one.model for one in done)
    if len(models) > 1:
        metrics["models"] = dict(models)
    return replace(
        first,
        input_size=written.input_size,
        output_size=written.output_size,
        timings=Timings(
            sum(one.timings.load for one in done),
            sum(one.timings.inference for one in done),
            0.0,
            sum(one.timings.network for one in done),
        ),
        metrics=metrics,
        warnings=tuple(_warnings(outcomes)),
        skipped=all(one.skipped for one in done),
    )


def _joined(metrics: list[JsonObject]) -> JsonObject:
    """The pages' metrics: counts added up, differences averaged, words of the first."""
    joined: JsonObject = {}
    for name, value in metrics[0].items():
        numbers = [one[name] for one in metrics if isinstance(one.get(name), int | float)]
        if not numbers or isinstance(value, bool):
            joined[name] = value
        elif name == "passes":
            joined[name] = max(numbers)
        elif all(isinstance(number, int) for number in numbers):
            joined[name] = sum(numbers)
        else:
            joined[name] = round(sum(numbers) / len(numbers), 3)
    return joined


def _warnings(outcomes: list[_Outcome]) -> Iterator[str]:
    """What failed, page by page; then what was said of pages, once where it was said of all."""
    for one in outcomes:
        if one.problem and one.result is not None:
            yield f"Page {one.number} could not be enhanced and was put in as it is: {one.problem}"
        elif one.problem:
            yield f"Page {one.number} could not be read and was left out: {one.problem}"
    said = {one.number: one.result.warnings for one in outcomes if one.enhanced and one.result is not None}
    for text in dict.fromkeys(text for texts in said.values() for text in texts):
        numbers = [number for number, texts in said.items() if text in texts]
        if len(numbers) == len(said):
            yield text
        else:
            yield f"Page {_listed(numbers)}: {text}"


def _listed(numbers: list[int]) -> str:
    """``1, 2, 3`` or, of many, ``1, 2, 3 ... 90``."""
    if len(numbers) <= 6:
        return ", ".join(map(str, numbers))
    return f"{', '.join(map(str, numbers[:3]))} ... {numbers[-1]}"
