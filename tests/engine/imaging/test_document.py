"""Files of several pages: every page is enhanced, written as a page, and keeps what it had."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import tifffile
from PIL import Image

from engine.imaging import document
from engine.processor import enhance_file
from engine.types import EnhanceSettings, JobControl
from tests.documents import PdfPage, locked_pdf, pdf, scanned
from tests.pictures import SRGB
from utils import image_io
from utils.errors import (
    ImageTooLargeError,
    InvalidImageError,
    InvalidSettingsError,
    JobCancelled,
    ModelNotFoundError,
    OutOfMemoryError,
    OutputError,
)

TEXT = "BT /F 20 Tf 6 30 Td (Hamburg) Tj ET"


@pytest.fixture
def enhance(manager, config, tmp_path):
    """Enhance a file in ``tmp_path`` into another; returns the result."""

    def run(source, target, control=None, config=config, overwrite=False, **settings):
        chosen = EnhanceSettings.create(**{"model": "tiny-x4", "scale": 2, **settings})
        return enhance_file(
            tmp_path / source,
            tmp_path / target,
            chosen,
            manager=manager,
            config=config,
            control=control,
            overwrite=overwrite,
        )

    return run


@pytest.fixture
def pages(scene):
    """Three pages that differ: colour, gray of another size, 16 bits."""
    return [scene, scene[:60, :50, 1], scene[:40, :70, 0].astype(np.uint16) * 257]


@pytest.fixture
def scan(tmp_path, pages):
    """The pages as ``scan.tif``, with a thumbnail of the first, each with a resolution of its own."""
    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path) as tiff:

        def write(pixels, dpi, **more):
            kind = "rgb" if pixels.ndim == 3 else "minisblack"
            tiff.write(pixels, photometric=kind, resolution=dpi, resolutionunit="inch", metadata=None, **more)

        write(pages[0], (300, 300), iccprofile=SRGB, extratags=[(285, "s", 0, "cover", True)])
        write(pages[0][::4, ::4], (75, 75), subfiletype=1)
        write(pages[1], (204, 98))
        write(pages[2], (600, 600))
    return path


def alike(made: np.ndarray, page: np.ndarray) -> float:
    """How far a page that was enlarged twice is from its input, in levels of 255, on average."""
    white = np.iinfo(made.dtype).max / 255
    small = made.astype(np.float64).reshape(made.shape[0] // 2, 2, made.shape[1] // 2, 2, -1).mean((1, 3)) / white
    return float(np.abs(small - page.reshape(small.shape[:2] + (-1,)) * (255 / np.iinfo(page.dtype).max)).mean())


def test_every_page_of_a_tiff_is_enhanced_with_its_depth_profile_and_resolution(enhance, scan, pages, tmp_path):
    result = enhance("scan.tif", "out.tif")
    assert result.metrics["pages"] == 3 and result.warnings == () and result.metrics["tiles"] >= 3
    assert result.input_size == (120, 90) and result.output_size == (240, 180)
    assert result.metrics["original_bytes"] == scan.stat().st_size
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        made = [page.asarray() for page in tiff.pages]
        assert [page.get_resolution("INCH") for page in tiff.pages] == [(300, 300), (204, 98), (600, 600)]
        assert [page.tags[297].value for page in tiff.pages] == [(0, 3), (1, 3), (2, 3)]
        assert [page.iccprofile for page in tiff.pages] == [SRGB, None, None]
        assert tiff.pages[0].tags[285].value == "cover" and 285 not in tiff.pages[1].tags
    assert [page.dtype for page in made] == [np.uint8, np.uint8, np.uint16]
    assert all(alike(one, page) < 4 for one, page in zip(made, pages, strict=True))
    with Image.open(tmp_path / "out.tif") as image:
        assert image.n_frames == 3, "other programs see the pages too"


def test_a_bilevel_fax_comes_out_gray(enhance, tmp_path, scene):
    black = Image.fromarray(np.where(scene[..., 1] > 120, 255, 0).astype(np.uint8)).convert("1")
    black.save(tmp_path / "fax.tif", save_all=True, append_images=[black], compression="group4", dpi=(204, 98))
    enhance("fax.tif", "out.tif")
    page = image_io.load(tmp_path / "out.tif", page=2)
    assert page.is_gray and page.size == (240, 180) and page.metadata.dpi == (204, 98)
    assert alike(page.pixels[..., 0], np.asarray(black).astype(np.uint8) * 255) < 30


@pytest.mark.parametrize("lossless", [False, True])
def test_a_pdf_of_scans_becomes_a_pdf_with_pages_of_the_same_size_on_paper(enhance, tmp_path, scene, lossless):
    gray = np.ascontiguousarray(scene[:60, :50, 1])
    data = pdf(
        [scanned(scene, 300), scanned(gray, 100), PdfPage((144, 72), TEXT)], "/Info 1000 0 R", ["<< /Title (A) >>"]
    )
    (tmp_path / "scan.pdf").write_bytes(data)
    result = enhance("scan.pdf", "out.pdf", lossless=lossless)
    assert result.metrics["pages"] == 3 and result.warnings == ()
    with pypdfium2.PdfDocument(tmp_path / "scan.pdf") as before, pypdfium2.PdfDocument(tmp_path / "out.pdf") as after:
        for one, other in zip(before, after, strict=True):
            assert other.get_size() == pytest.approx(one.get_size(), abs=1e-3)
        assert after.get_metadata_dict()["Title"] == "A"
    made = [image_io.load(tmp_path / "out.pdf", page=number) for number in (1, 2, 3)]
    assert [page.size for page in made] == [(240, 180), (100, 120), (600, 300)], "twice 150 dpi where there is no scan"
    assert made[0].metadata.dpi == pytest.approx((600, 600)) and made[1].is_gray and made[2].is_gray
    assert alike(made[0].pixels, scene) < 4 and alike(made[1].pixels, gray) < 4
    assert (b"/DCTDecode" in (tmp_path / "out.pdf").read_bytes()) is not lossless


def test_the_resolution_of_drawn_pages_can_be_chosen(enhance, tmp_path):
    (tmp_path / "text.pdf").write_bytes(pdf([PdfPage((72, 36), TEXT)]))
    assert enhance("text.pdf", "out.pdf", pdf_dpi=200).output_size == (400, 200)


def test_a_pdf_can_become_a_tiff_and_a_tiff_a_pdf(enhance, scan, tmp_path):
    enhance("scan.tif", "between.pdf")
    with pypdfium2.PdfDocument(tmp_path / "between.pdf") as made:
        sizes = [page.get_size() for page in made]
    wanted = [
        (120 / 300 * 72 * 2, 90 / 300 * 72 * 2),
        (50 / 204 * 144, 60 / 98 * 144),
        (70 / 600 * 144, 40 / 600 * 144),
    ]
    assert [size == pytest.approx(other, rel=1e-2) for size, other in zip(sizes, wanted, strict=True)] == [True] * 3
    result = enhance("between.pdf", "back.tif", scale=1, model="lanczos")
    assert result.metrics["pages"] == 3
    page = image_io.load(tmp_path / "back.tif", page=2)
    assert page.size == (100, 120) and page.metadata.dpi == pytest.approx((204, 98), abs=0.5)


def test_pages_can_be_chosen_in_any_order(enhance, scan, pages, tmp_path):
    result = enhance("scan.tif", "out.tif", pages="3, 1-2")
    assert result.metrics["pages"] == 3 and result.input_size == (70, 40)
    assert image_io.load(tmp_path / "out.tif", page=2).size == (240, 180)
    assert enhance("scan.tif", "two.tif", pages="2-").metrics["pages"] == 2
    with pytest.raises(InvalidSettingsError, match=r"'scan.tif' has 3 pages; there is no page 7\."):
        enhance("scan.tif", "none.tif", pages="1,7")
    with pytest.raises(InvalidSettingsError, match=r"pages must look like 1-3,7 or 5-"):
        enhance("scan.tif", "none.tif", pages="3-1")
    assert not (tmp_path / "none.tif").exists()


def test_a_picture_is_a_document_of_one_page(enhance, tmp_path, scene):
    Image.fromarray(scene).save(tmp_path / "photo.png", dpi=(300, 300))
    assert enhance("photo.png", "out.pdf").metrics["pages"] == 1
    assert enhance("photo.png", "out.png", pages="1").output_size == (240, 180)
    with pytest.raises(InvalidSettingsError, match=r"'photo.png' has 1 page; there is no page 2\."):
        enhance("photo.png", "none.png", pages="2")


@pytest.mark.parametrize("source", ["scan.tif", "scan.pdf"])
def test_formats_of_one_picture_take_one_page(enhance, scan, pages, tmp_path, source):
    if source.endswith("pdf"):
        enhance("scan.tif", source, scale=1, model="lanczos", lossless=True)
    with pytest.raises(InvalidSettingsError, match=f"'{source}' has 3 pages to be enhanced, and PNG holds one"):
        enhance(source, "out.png")
    result = enhance(source, "out.jpg", pages="2")
    assert result.output_size == (100, 120) and image_io.load(tmp_path / "out.jpg").size == (100, 120)
    assert result.input_path == tmp_path / source and result.metrics["pages"] == 1
    assert alike(image_io.load(tmp_path / "out.jpg").pixels, pages[1]) < 4


def test_a_page_that_cannot_be_read_is_left_out_and_named(enhance, scan, tmp_path):
    with tifffile.TiffFile(scan) as tiff:
        places = [tag.valueoffset for tag in (tiff.pages[2].tags[257], tiff.pages[2].tags[256])]
    data = bytearray(scan.read_bytes())
    for place in places:  # its header claims what its strips do not hold
        data[place : place + 2] = b"\0\x7f"
    scan.write_bytes(data)
    result = enhance("scan.tif", "out.tif")
    assert result.metrics["pages"] == 2 and result.metrics["pages_left_out"] == [2]
    assert result.warnings[0].startswith("Page 2 could not be read and was left out: ")
    assert [image_io.load(tmp_path / "out.tif", page=number).size for number in (1, 2)] == [(240, 180), (140, 80)]


def test_a_page_that_cannot_be_enhanced_is_put_in_as_it_is(enhance, scan, pages, tmp_path, monkeypatch):
    from engine.imaging.picture_enhancer import PictureEnhancer

    run = PictureEnhancer.run

    def without_memory_for_gray(self, started):
        if self._task.model == "tiny-x4" and self._task.info.width == 50:
            raise OutOfMemoryError("Not enough memory.")
        return run(self, started)

    monkeypatch.setattr(PictureEnhancer, "run", without_memory_for_gray)
    result = enhance("scan.tif", "out.tif")
    assert result.metrics["pages"] == 3 and result.metrics["pages_unenhanced"] == [2]
    assert result.warnings[0] == "Page 2 could not be enhanced and was put in as it is: Not enough memory."
    assert np.array_equal(image_io.load(tmp_path / "out.tif", page=2).pixels[..., 0], pages[1])
    monkeypatch.setattr(
        PictureEnhancer, "run", lambda *_: (_ for _ in ()).throw(OutOfMemoryError("Not enough memory."))
    )
    with pytest.raises(OutOfMemoryError):
        enhance("scan.tif", "none.tif")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["out.tif", "scan.tif"]


def test_a_full_disk_is_no_pages_fault(enhance, scan, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="the disk is full"):
        enhance("scan.tif", "out.tif")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["scan.tif"]


def test_what_is_no_pages_fault_ends_the_job(enhance, scan, tmp_path):
    with pytest.raises(ModelNotFoundError):
        enhance("scan.tif", "out.tif", model="nobody-x4")
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["scan.tif"]


def test_the_goal_holds_for_every_page(enhance, scan, tmp_path):
    enhance("scan.tif", "out.tif", scale=None, long_edge=150)
    sizes = [image_io.load(tmp_path / "out.tif", page=number).size for number in (1, 2, 3)]
    assert sizes == [(150, 112), (125, 150), (150, 86)]
    result = enhance("scan.tif", "again.tif", scale=None, long_edge=60, skip_if_large_enough=True)
    assert result.skipped and image_io.load(tmp_path / "again.tif", page=3).size == (70, 40)


def test_progress_counts_pages_and_tiles_move_it(enhance, scan):
    steps = []
    enhance("scan.tif", "out.tif", JobControl(on_progress=steps.append), tile=48)
    assert {step.stage for step in steps} == {"Pages"} and {step.total for step in steps} == {3}
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and len(set(fractions)) > 6 and fractions[-1] == 1
    assert [step.done for step in steps] == sorted(step.done for step in steps) and steps[-1].done == 3
    assert steps[-1].eta_seconds == 0


def test_cancelling_in_the_middle_of_a_page_leaves_nothing(enhance, scan, tmp_path):
    control = JobControl(on_progress=lambda step: control.cancel() if step.fraction > 0.4 else None)
    with pytest.raises(JobCancelled):
        enhance("scan.tif", "out.tif", control, tile=48)
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == ["scan.tif"]


def test_one_page_is_on_the_disk_at_a_time(enhance, scan, tmp_path, monkeypatch):
    seen = []

    def look(self, page, add=document.TiffDocumentWriter.add):
        seen.append(sorted(path.name for path in page.picture.parent.iterdir()))
        add(self, page)

    monkeypatch.setattr(document.TiffDocumentWriter, "add", look)
    enhance("scan.tif", "out.tif")
    assert seen == [[f"enhanced-{number}.tif", f"page-{number}.tif"] for number in (1, 2, 3)]


def test_limits_are_those_of_a_page_and_of_their_number(enhance, config, scan, tmp_path):
    with pytest.raises(ImageTooLargeError, match=r"'scan.tif' has more than 2 pages"):
        enhance("scan.tif", "out.tif", config=replace(config, max_pages=2))
    small = replace(config, max_image_megapixels=0.005)
    with pytest.raises(ImageTooLargeError):
        enhance("scan.tif", "out.tif", config=small)
    assert not (tmp_path / "out.tif").exists()


def test_a_locked_pdf_says_so(enhance, tmp_path, scene):
    (tmp_path / "locked.pdf").write_bytes(locked_pdf(scene))
    with pytest.raises(InvalidImageError, match="'locked.pdf' is protected by a password"):
        enhance("locked.pdf", "out.pdf")


def test_what_holds_for_one_picture_alone_is_refused(enhance, scan):
    with pytest.raises(InvalidSettingsError, match="no largest file size can be kept"):
        enhance("scan.tif", "out.tif", max_megabytes=1)
    with pytest.raises(InvalidSettingsError, match="Faces are numbered on one page"):
        enhance("scan.tif", "out.tif", face_enhance=True, face_keep=(1,))


def test_metadata_can_be_left_out(enhance, scan, tmp_path):
    enhance("scan.tif", "out.tif", exif="drop", embed_settings=False)
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert 285 not in tiff.pages[0].tags and 270 not in tiff.pages[0].tags and 305 not in tiff.pages[0].tags
    enhance("scan.tif", "plain.pdf", embed_settings=False)
    assert b"Real-ESRGAN" not in (tmp_path / "plain.pdf").read_bytes()
