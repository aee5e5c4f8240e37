"""Documents over REST: the pages in, the pages out."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.api.conftest import b64
from tests.documents import locked_pdf, pdf, scanned
from tests.pictures import pattern, shade


@pytest.fixture
def scan() -> bytes:
    return pdf([scanned(pattern(30, 40), 300), scanned(np.ascontiguousarray(shade(90, 24, 20)), 300)])


@pytest.fixture
def tiff() -> bytes:
    stream = io.BytesIO()
    first, *others = (Image.fromarray(shade(level, 16, 12)) for level in (40, 90, 200))
    first.save(stream, "TIFF", save_all=True, append_images=others)
    return stream.getvalue()


def test_a_pdf_comes_back_as_a_pdf(client, scan):
    body = client.post("/upscale", json={"image_b64": b64(scan), "scale": 2}).json()
    assert body["metrics"]["pages"] == 2 and body["file_path"].endswith(".pdf")
    assert base64.b64decode(body["base64"]).startswith(b"%PDF-") and body["upscaled_size"] == {
        "width": 80,
        "height": 60,
    }
    answer = client.get("/" + body["file_path"])
    assert answer.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    ("more", "accept", "kind"),
    [
        ({}, "application/pdf", b"%PDF"),
        ({"format": "tiff"}, "image/*", b"II*\0"),
        ({"pages": "2"}, "image/png", b"\x89PNG"),
    ],
)
def test_the_format_and_the_pages_can_be_chosen(client, tiff, more, accept, kind):
    answer = client.post("/upscale", files={"file": tiff}, data={"scale": "2", **more}, headers={"Accept": accept})
    assert answer.status_code == 200 and answer.content[:4] == kind


def test_the_resolution_of_drawn_pages_is_a_setting(client):
    data = b64(pdf([scanned(pattern(30, 40), 300, beside="BT /F 9 Tf 1 1 Td (a) Tj ET")]))
    body = client.post("/upscale", json={"image_b64": data, "scale": 1, "pdf_dpi": 600}).json()
    assert body["original_size"] == {"width": 80, "height": 60}


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"format": "png"}, 422, "has 3 pages to be enhanced, and PNG holds one"),
        ({"pages": "4"}, 422, "has 3 pages; there is no page 4."),
        ({"pages": "all"}, 422, "pages must look like 1-3,7 or 5-"),
    ],
)
def test_what_cannot_be_done_is_said(client, tiff, change, status, says):
    answer = client.post("/upscale", json={"image_b64": b64(tiff), "scale": 2, **change})
    assert answer.status_code == status and says in answer.text


def test_limits_are_those_of_every_page(make_client, client):
    large = b64(pdf([scanned(pattern(30, 40), 300), scanned(pattern(30, 3000), 300)]))
    answer = client.post("/upscale", json={"image_b64": large, "scale": 1})
    assert answer.status_code == 413 and "3000x30" in answer.text
    assert client.post("/upscale", json={"image_b64": large, "scale": 1, "pages": "1"}).status_code == 200
    answer = make_client(max_pages=1).post("/upscale", json={"image_b64": large, "scale": 1})
    assert answer.status_code == 413 and "REALESRGAN_MAX_PAGES" in answer.text


def test_a_locked_pdf_says_so(client):
    answer = client.post("/upscale", json={"image_b64": b64(locked_pdf(pattern())), "scale": 2})
    assert answer.status_code == 400 and "protected by a password" in answer.text
