"""Whatever the documented interface allows, and much that it does not: never an error of the server's own."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

ROUTES = [
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/status"),
    ("POST", "/cleanup"),
    ("GET", "/metrics"),
    ("POST", "/upscale"),
    ("GET", "/files/{job_id}/{name}"),
    ("POST", "/jobs"),
    ("POST", "/videos"),
    ("GET", "/jobs/{job_id}"),
    ("DELETE", "/jobs/{job_id}"),
    ("GET", "/jobs/{job_id}/result"),
    ("GET", "/jobs/{job_id}/events"),
    ("GET", "/queue"),
    ("DELETE", "/queue/{number}"),
    ("POST", "/queue/{number}/move"),
    ("POST", "/api/upscale"),
    ("DELETE", "/api/upscale"),
    ("GET", "/api/upscale"),
    ("GET", "/library-files/{name}"),
]


@pytest.fixture
def documented(api_config, tmp_path):
    from api import create_app

    library = tmp_path / "library"
    library.mkdir()
    app = create_app(api_config(api_library_roots=str(library), api_img_url=True, max_output_megapixels=20))
    app.state.service.resolve = lambda host, port: ["127.0.0.1"]
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    app.state.service.stop(0)


def test_the_list_is_complete(documented):
    assert {(each.ok().method.upper(), each.ok().path) for each in documented.get_all_operations()} == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_breaks_the_server(documented, method, path, mode):
    if mode is GenerationMode.NEGATIVE and path in ("/health", "/ready", "/queue"):
        pytest.skip("has no parameter that could be wrong")
    operation = documented[path][method]

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def attack(case):
        case.call_and_validate(checks=[not_a_server_error])

    attack()
