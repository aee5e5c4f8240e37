"""Settings: typed, validated at the start, and all of them in .env.example."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ROOT, Config, ConfigError, unknown_variables
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    import os

    for name in os.environ:
        if name.startswith("REALESRGAN_"):
            monkeypatch.delenv(name)


def test_defaults_keep_the_app_to_this_machine():
    config = Config(_env_file=None)
    assert config.server_name == "127.0.0.1" and config.share is False
    assert config.weights_dir == ROOT / "weights"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVER_PORT", "eighty"),
        ("SERVER_PORT", "70000"),
        ("SHARE", "perhaps"),
        ("MAX_IMAGE_MB", "-1"),
        ("MAX_IMAGE_MB", "inf"),
        ("UNLOAD_POLICY", "sometimes"),
        ("UNLOAD_POLICY", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("API_PUBLIC_URL", "http://x]"),
        ("BACKEND", "tensorflow"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch, name, value):
    monkeypatch.setenv(f"REALESRGAN_{name}", value)
    with pytest.raises(ConfigError, match=f"REALESRGAN_{name} is '{value}'"):
        Config(_env_file=None)


def test_the_environment_wins_over_the_env_file(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("REALESRGAN_SERVER_PORT=8001\nREALESRGAN_UNLOAD_POLICY=30\n")
    monkeypatch.setenv("REALESRGAN_SERVER_PORT", "8002")
    config = Config(_env_file=tmp_path / ".env")
    assert config.server_port == 8002 and config.unload_policy == 30


def test_misspelt_variables_are_found(monkeypatch):
    monkeypatch.setenv("REALESRGAN_SEVER_PORT", "1")
    assert unknown_variables() == ["REALESRGAN_SEVER_PORT"]


@pytest.mark.parametrize(
    ("alias", "value", "setting", "expected"),
    [
        ("UPSCALER_ENABLED", "false", "enable_api", False),
        ("UPSCALER_MODEL", "RealESRGAN_x4plus", "default_model", "RealESRGAN_x4plus"),
        ("UPSCALED_IMAGES_DIR", "/srv/upscaled", "output_dir", Path("/srv/upscaled")),
        ("ML_WORKER_ENABLED", "0", "worker_enabled", False),
        ("ML_WORKER_IDLE_TIMEOUT", "12.5", "worker_idle_timeout", 12.5),
        ("ML_WORKER_BACKEND", "cpu", "worker_backend", "cpu"),
        ("RAY_ADDRESS", "127.0.0.1:6379", "ray_address", "127.0.0.1:6379"),
    ],
)
def test_other_names_of_settings_are_understood(monkeypatch, tmp_path, alias, value, setting, expected):
    (tmp_path / ".env").write_text(f"{alias}={value}\n")
    assert getattr(Config(_env_file=tmp_path / ".env"), setting) == expected
    monkeypatch.setenv(alias, value)
    assert getattr(Config(_env_file=None), setting) == expected


def test_a_setting_wins_over_its_other_name(monkeypatch):
    monkeypatch.setenv("ML_WORKER_BACKEND", "cpu")
    monkeypatch.setenv("REALESRGAN_WORKER_BACKEND", "cuda")
    assert Config(_env_file=None).worker_backend == "cuda"


def test_a_wrong_value_under_another_name_is_explained(monkeypatch):
    monkeypatch.setenv("ML_WORKER_BACKEND", "abacus")
    with pytest.raises(ConfigError, match="WORKER_BACKEND is 'abacus'"):
        Config(_env_file=None)


def test_env_example_lists_every_setting_with_its_default():
    listed = {}
    for line in (REPOSITORY / ".env.example").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            listed[name] = value
    expected = {}
    for name, field in Config.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        expected[f"REALESRGAN_{name.upper()}"] = default
    assert listed == expected


def test_directories_are_made_and_a_failure_names_the_variable(tmp_path):
    names = ("weights_dir", "output_dir", "cache_dir", "log_dir")
    Config(_env_file=None, **{name: tmp_path / name for name in names}).ensure_directories()
    assert all((tmp_path / name).is_dir() for name in names)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="REALESRGAN_OUTPUT_DIR"):
        Config(
            _env_file=None, **{name: tmp_path / name for name in names} | {"output_dir": tmp_path / "file" / "x"}
        ).ensure_directories()
