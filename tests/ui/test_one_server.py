"""The interface and the REST API share one server and its workers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import psutil

from tests.waiting import LONG


def test_interface_and_api_answer_at_one_address(app, photo):
    def get(path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(app.address + path, timeout=LONG) as answer:
            return answer.status, answer.read()

    assert get("/health")[0] == 200
    assert b"gradio" in get("/")[1]
    assert "/upscale" in json.loads(get("/openapi.json")[1])["paths"]


def test_the_server_itself_holds_no_network(app, photo):
    """A picture goes through a worker process: the server never maps torch's or OpenVINO's libraries."""
    boundary = "b0undary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="photo.png"\r\n\r\n'.encode()
        + photo.read_bytes()
        + f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny-x4\r\n--{boundary}--\r\n'.encode()
    )
    request = urllib.request.Request(
        f"{app.address}/upscale",
        data=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request, timeout=LONG) as answer:
        assert json.loads(answer.read())["upscaled_size"] == {"width": 480, "height": 360}
    server = next(
        process
        for process in psutil.Process().children(recursive=True)
        if any(connection.laddr.port == int(app.address.rpartition(":")[2]) for connection in process.net_connections())
    )
    libraries = {mapped.path for mapped in server.memory_maps()}
    assert not [path for path in libraries if "libtorch" in path or "libopenvino" in path]
