"""One request, one picture."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.api.conftest import b64, level_of, png
from utils import image_io


def test_json_in_json_out(client):
    answer = client.post("/upscale", json={"image_b64": b64(png(77)), "scale": 4})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["original_size"] == {"width": 16, "height": 12} and body["upscaled_size"] == {"width": 64, "height": 48}
    assert body["total_scale"] == 4 and body["upscaling_strategy"] == "lanczos to 64x48"
    assert body["faces_detected"] == body["faces_enhanced"] == 0
    picture = base64.b64decode(body["base64"])
    assert level_of(picture) == 77
    assert client.get("/" + body["file_path"]).content == picture


def test_a_form_with_a_file_and_a_binary_answer(client):
    answer = client.post(
        "/upscale",
        files={"file": ("whatever.png", png(33), "image/png")},
        data={"scale": "2.5", "format": "webp", "include_base64": "false"},
        headers={"Accept": "image/*"},
    )
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (40, 30) and abs(level_of(answer.content) - 33) <= 1


@pytest.mark.parametrize(
    ("accept", "given", "kind"),
    [
        ("image/jpeg", None, "JPEG"),
        ("image/png;q=0.5, image/webp", None, "WEBP"),
        ("image/webp, image/*;q=0.8", "png", "PNG"),
        ("image/*", None, "PNG"),
        ("image/jpeg;q=0, image/*", None, "PNG"),
    ],
)
def test_the_accepted_kind_of_file_chooses_the_format_where_the_request_does_not(client, accept, given, kind):
    data = {"scale": "2"} | ({"format": given} if given else {})
    answer = client.post("/upscale", files={"file": png()}, data=data, headers={"Accept": accept})
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).format == kind


def test_jpeg_xl_and_raw_photographs_go_in_and_jpeg_xl_comes_out(client):
    level = np.full((24, 30, 3), 90, np.uint16) * 257 + np.arange(30, dtype=np.uint16)[:, None]
    for name, data in (
        ("in.jxl", pictures.jxl(level)),
        ("in.dng", pictures.dng(level)),
        ("in.exr", pictures.openexr(level / np.float32(9))),
    ):
        answer = client.post(
            "/upscale", files={"file": (name, data)}, data={"scale": "2"}, headers={"Accept": "image/jxl"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/jxl"
        found = image_io.load(answer.content)
        assert found.size == (60, 48) and found.bit_depth == 16 and found.metadata.source_format == "jxl"


def test_base64_can_be_left_out_and_a_data_prefix_is_fine(client):
    body = client.post(
        "/upscale", json={"image_b64": "data:image/png;base64," + b64(png()), "include_base64": False}
    ).json()
    assert body["base64"] is None and body["file_path"]


@pytest.mark.parametrize(("target", "side", "input_side"), [("2k", 2048, 200), ("4k", 3840, 300), ("8k", 7680, 500)])
def test_target_resolutions_are_the_longest_side(make_client, target, side, input_side):
    client = make_client(max_output_megapixels=100)
    wide = png(50, width=input_side, height=20)
    body = client.post(
        "/upscale",
        json={"image_b64": b64(wide), "target_resolution": target, "include_base64": False, "format": "jpeg"},
    ).json()
    assert body["upscaled_size"]["width"] == side


def test_what_reaches_the_target_is_not_shrunk(client):
    body = client.post("/upscale", json={"image_b64": b64(png(9, 2048, 8)), "target_resolution": "2k"}).json()
    assert body["upscaled_size"] == {"width": 2048, "height": 8} and body["upscaling_strategy"] == "copied unchanged"


def bomb(width, height):
    """A PNG header of that size over next to nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({}, 422, "exactly one of image_b64 and img_url"),
        ({"image_b64": "QQ==", "img_url": "http://a/"}, 422, "exactly one"),
        ({"image_b64": "!!!"}, 400, "base64"),
        ({"image_b64": ""}, 422, "image_b64"),
        ({"image_b64": b64(b"GIF89a")}, 400, "The picture"),
        ({"image_b64": b64(b"hello")}, 400, "The picture is not a picture|The picture"),
        ({"image_b64": b64(png()[:50])}, 400, "damaged"),
        ({"image_b64": b64(png()), "scale": 0.5}, 422, "scale"),
        ({"image_b64": b64(png()), "scale": 17}, 422, "scale"),
        ({"image_b64": b64(png()), "scale": 2, "target_resolution": "4k"}, 422, "not both"),
        ({"image_b64": b64(png()), "target_resolution": "16k"}, 422, "target_resolution"),
        ({"image_b64": b64(png()), "target_resolution": "8k"}, 422, "times"),
        ({"image_b64": b64(png()), "model": "../../etc/passwd"}, 422, "model"),
        ({"image_b64": b64(png()), "model": "no-such-model"}, 422, "no-such-model"),
        ({"image_b64": b64(png()), "preset": "no such preset"}, 422, "no such preset"),
        ({"image_b64": b64(png()), "colour": "red"}, 422, "colour"),
        ({"image_b64": b64(bomb(60000, 60000))}, 413, "60000"),
        ({"image_b64": b64(png(1, 2049, 4))}, 413, "2048"),
        ({"image_b64": b64(png()), "callback_url": "http://a/"}, 422, "POST /jobs"),
        ({"img_url": "http://127.0.0.1/"}, 400, "REALESRGAN_API_IMG_URL"),
    ],
)
def test_wrong_requests_get_a_reason(client, body, code, words):
    answer = client.post("/upscale", json=body)
    assert answer.status_code == code, answer.text
    assert set(answer.json()) == {"error"}
    import re

    assert re.search(words, answer.json()["error"]["message"]), answer.text
    assert "/cache/" not in answer.text and "/tmp" not in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"{", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"[1]", "application/json", 422),
        (b"x=1", "application/x-www-form-urlencoded", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"nothing", "multipart/form-data", 400),
    ],
)
def test_bodies_that_make_no_sense(client, content, kind, code):
    answer = client.post("/upscale", content=content, headers={"Content-Type": kind})
    assert answer.status_code in (code, 422), answer.text


def test_a_request_over_the_limit_is_refused(client):
    over = b64(b"\0" * 6_000_000)  # 8 MB as base64
    assert client.post("/upscale", json={"image_b64": over}).status_code == 413
    far_over = b"0" * 28_000_000
    assert client.post("/upscale", content=far_over).status_code == 413


def test_a_length_that_is_a_lie_is_noticed_while_reading(client):
    def endless():
        for _ in range(400):
            yield b" " * 100_000

    assert client.post("/upscale", content=endless()).status_code == 413


def test_a_hundred_thousand_parts_are_refused(client):
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _ in range(100_000))
    answer = client.post(
        "/upscale", content=parts + b"--x--\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 400 and "fields" in answer.text


def test_larger_targets_take_larger_pictures(client):
    wide = png(5, 3000, 4)
    assert client.post("/upscale", json={"image_b64": b64(wide), "target_resolution": "2k"}).status_code == 413
    body = {"image_b64": b64(wide), "target_resolution": "4k", "include_base64": False}
    assert client.post("/upscale", json=body).json()["upscaled_size"]["width"] == 3840


def test_a_picture_by_its_address(make_client, monkeypatch):
    import api.requests

    client = make_client(api_img_url=True, resolve=lambda host, port: ["10.0.0.1"])
    refused = client.post("/upscale", json={"img_url": "http://inner.example/a.png"})
    assert refused.status_code == 400 and "public" in refused.json()["error"]["message"]
    monkeypatch.setattr(api.requests, "fetch", lambda url, limits, resolve: png(200))
    assert client.post("/upscale", json={"img_url": "http://good.example/a.png"}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "job.json",
        "picture.png",
        "../job.json",
        "..%2fjob.json",
        "%2e%2e/%2e%2e/set_aside.json",
        "",
        "picture_x4.png%00",
    ],
)
def test_only_the_result_itself_can_be_downloaded(client, name):
    body = client.post("/upscale", json={"image_b64": b64(png()), "scale": 4}).json()
    assert body["file_path"].endswith("/picture_x4.png")
    assert client.get(f"/files/{body['job_id']}/{name}").status_code in (404, 422)


def test_a_preset_is_where_a_request_starts_from(client):
    def size(**body):
        answer = client.post("/upscale", json={"image_b64": b64(png()), "model": "lanczos", **body})
        assert answer.status_code == 200, answer.text
        return tuple(answer.json()["upscaled_size"].values())

    assert size(preset="old SCAN") == (32, 24)
    assert size(preset="Old scan", scale=3) == (48, 36)
    client.app.state.service.presets.save_preset("Web", {"width": 100, "format": "webp"})
    assert size(preset="Web") == (100, 75)
    assert size(preset="Web", scale=5) == (80, 60)
    form = client.post(
        "/upscale", files={"file": png()}, data={"preset": "Web", "model": "lanczos"}, headers={"Accept": "image/*"}
    )
    assert form.headers["content-type"] == "image/webp"
    unknown = client.post("/upscale", json={"image_b64": b64(png()), "preset": "Wed"})
    assert unknown.status_code == 422 and "'Web'" in unknown.json()["error"]["message"]


@pytest.mark.parametrize(
    ("request_body", "face_enhance", "strength"),
    [
        ({}, "auto", 0.8),
        ({"enhance_faces": True, "face_strength": 0.3}, True, 0.3),
        ({"enhance_faces": False}, False, 0.8),
        ({"enhance_faces": "auto"}, "auto", 0.8),
    ],
)
def test_wishes_about_faces_become_settings(request_body, face_enhance, strength):
    from api.schemas import UpscaleOptions

    settings = UpscaleOptions(**request_body).settings("auto", {})
    assert settings.face_enhance == face_enhance and settings.face_strength == strength


def test_what_is_left_of_a_damaged_picture_where_it_is_asked_for(client):
    """A form says it in words; the answer tells how much is missing."""
    stream = io.BytesIO()
    Image.effect_noise((64, 48), 60).save(stream, "JPEG", quality=95)
    cut_off = stream.getvalue()[:-10]
    answer = client.post("/upscale", json={"image_b64": b64(cut_off), "scale": 2})
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "DamagedImageError"
    assert "salvage" in answer.json()["error"]["message"]
    for asked in (
        {"json": {"image_b64": b64(cut_off), "scale": 2, "salvage": True}},
        {"files": {"file": ("a.jpg", cut_off, "image/jpeg")}, "data": {"scale": "2", "salvage": "true"}},
    ):
        answer = client.post("/upscale", **asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert 0 < body["metrics"]["missing_percent"] < 20
        assert "is damaged" in " ".join(body["warnings"])


def test_originals_are_not_replaced_over_the_network(client):
    answer = client.post("/upscale", json={"image_b64": b64(png()), "in_place": True})
    assert answer.status_code == 422
