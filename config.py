"""Every setting, from the environment (``REALESRGAN_*``) or ``.env``, typed and validated once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from utils.errors import InvalidSettingsError
from utils.installation import ROOT, is_installed

PREFIX = "REALESRGAN_"
_APPLICATION = "realesrgan-ultimate"


def _folder(path: Path) -> Path:
    """Where a relative folder lies: in the checkout; of an installed program, where the platform keeps such things."""
    if not is_installed():
        return ROOT / path
    import platformdirs

    own = platformdirs.PlatformDirs(_APPLICATION, appauthor=False)
    known = {
        "cache": own.user_cache_path,
        "logs": own.user_log_path,
        "outputs": own.user_pictures_path / "Real-ESRGAN Ultimate",
    }
    first, *rest = path.parts
    return known.get(first, own.user_data_path / first).joinpath(*rest)


def _env_file() -> Path:
    if not is_installed():
        return ROOT / ".env"
    import platformdirs

    return platformdirs.user_config_path(_APPLICATION, appauthor=False) / ".env"


ALIASES = {
    "UPSCALER_ENABLED": "enable_api",
    "UPSCALER_MODEL": "default_model",
    "UPSCALED_IMAGES_DIR": "output_dir",
    "ML_WORKER_ENABLED": "worker_enabled",
    "ML_WORKER_IDLE_TIMEOUT": "worker_idle_timeout",
    "ML_WORKER_BACKEND": "worker_backend",
    "RAY_ADDRESS": "ray_address",
}
"""Names that gallery hosts and Ray use -> the setting they mean. A ``REALESRGAN_*`` variable wins over them."""


class ConfigError(InvalidSettingsError):
    """A variable holds something that cannot be used; the message names it."""


class Config(BaseSettings):
    """The application's settings. ``Config()`` reads environment and ``.env``; a wrong value raises ``ConfigError``.

    Relative directories are taken from the project's own folder, wherever the program was started; an installed program
    has them, and its ``.env``, in the person's own folders (``platformdirs``).
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=_env_file(), env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    weights_dir: Path = Field(Path("weights"), description="Where models are downloaded to and your own are dropped")
    output_dir: Path = Field(Path("outputs"), description="Where the interface saves results")
    cache_dir: Path = Field(Path("cache"), description="Converted models, self-test results, remembered tile sizes")
    data_dir: Path = Field(Path("data"), description="Your presets, and the history of what was done")
    log_dir: Path = Field(Path("logs"), description="Rotating log files")

    server_name: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 opens the app to your network")
    server_port: int = Field(7860, ge=1, le=65535, description="Port of the interface")
    share: bool = Field(False, description="Make a public link to the interface through Gradio's servers")

    enable_batch: bool = Field(True, description="Show the Batch tab")
    enable_video: bool = Field(True, description="Show the Video tab")
    enable_api: bool = Field(True, description="Answer the REST API's enlarging routes")
    enable_downloads: bool = Field(
        True, description="Allow downloads: models from the interface, the face detector at first use"
    )

    max_image_mb: float = Field(200, gt=0, allow_inf_nan=False, description="Largest picture file, in MB")
    max_image_megapixels: float = Field(
        200, gt=0, allow_inf_nan=False, description="Largest input picture, in megapixels"
    )
    max_pages: int = Field(2000, ge=1, description="Most pages of a TIFF or PDF")
    max_output_megapixels: float = Field(1000, gt=0, allow_inf_nan=False, description="Largest result, in megapixels")
    max_video_mb: float = Field(2000, gt=0, allow_inf_nan=False, description="Largest video file, in MB")
    max_video_minutes: float = Field(600, gt=0, allow_inf_nan=False, description="Longest video, in minutes")

    device: str = Field("auto", description="auto, cpu, cuda:0, mps, xpu:0, vulkan:0")
    backend: Literal["auto", "openvino", "torch", "ncnn", "original"] = Field(
        "auto", description="auto, openvino, torch, ncnn, or original (the packages basicsr, realesrgan and gfpgan)"
    )
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = Field(
        "auto", description="auto, fp32, fp16, bf16 or int8"
    )
    optimize: bool = Field(True, description="Test once which backend is fastest and right on this machine")
    gpu_memory_reserve_mb: int = Field(512, ge=0, description="Memory that tiles leave free, in MiB")
    unload_policy: Literal["keep", "after-picture"] | int = Field(
        "keep", description="keep, after-picture, or idle seconds after which a model is unloaded"
    )
    verify_checksums: bool = Field(True, description="Compare SHA-256 of known models before loading")

    executor: Literal["worker", "in-process", "ray"] = Field(
        "worker", description="Where the service runs jobs: worker (child processes), in-process or ray"
    )
    default_model: str = Field("auto", description="Model of API requests that name none")
    worker_enabled: bool = Field(True, description="Run models in worker processes; false keeps them in the server's")
    workers: int = Field(0, ge=0, le=256, description="Worker processes; 0 = one a GPU, one where there is none")
    worker_backend: Literal["auto", "cuda", "xpu", "mps", "cpu"] = Field(
        "auto", description="Device of the workers: auto, cuda, xpu, mps or cpu"
    )
    worker_idle_timeout: float = Field(300, ge=0, description="Idle seconds after which a worker ends; 0 = never")
    worker_hang_timeout: float = Field(600, ge=0, description="Seconds without progress that count as hung; 0 = never")
    ray_address: str = Field("", description="Ray cluster to join (host:port or auto); empty = one on this machine")
    ray_cores: int = Field(4, ge=1, description="Processor cores of a Ray actor where there is no GPU")
    api_key: str = Field("", description="Key that API requests must carry (X-API-Key); empty = none")
    api_max_mb: float = Field(
        7, gt=0, allow_inf_nan=False, description="Largest API request, in MB; more for target resolutions over 2k"
    )
    api_max_side: int = Field(2048, ge=16, description="Longest side of an API input, in pixels; more as above")
    api_body_timeout: float = Field(30, gt=0, description="Seconds within which a request's body must have arrived")
    api_max_video_mb: float = Field(
        200, gt=0, allow_inf_nan=False, description="Largest film that the API takes, in MB"
    )
    api_video_timeout: float = Field(600, gt=0, description="Seconds within which a film must have arrived at the API")
    api_video_queue_limit: int = Field(8, ge=1, description="Films of the API that may wait")
    api_rate_limit: int = Field(0, ge=0, description="API requests a minute and client; 0 = unlimited")
    api_cors_origins: str = Field("", description="Web origins that may call the API, with commas; empty = none")
    api_hosts: str = Field(
        "", description="Names under which a proxy on this machine asks for the server, with commas; * = any"
    )
    api_img_url: bool = Field(False, description="Let API requests name a picture or film by its web address")
    api_keep_seconds: float = Field(300, ge=1, description="Seconds after which results of the API are deleted")
    api_callback_secret: str = Field("", description="Secret that signs callbacks; empty = callbacks are refused")
    api_callback_hosts: str = Field("", description="Hosts in your own network that callbacks may go to, with commas")
    api_library_roots: str = Field("", description="Folders whose pictures may be named by path, with commas")
    api_heartbeat_url: str = Field("", description="Central address where this server registers itself; empty = none")
    api_heartbeat_seconds: float = Field(30, ge=0.1, description="Seconds between two registrations")
    api_public_url: str = Field("", description="This server's own address as others see it, for the registration")
    api_shutdown_grace: float = Field(30, ge=0, description="Seconds that running jobs get to finish at shutdown")
    queue_limit: int = Field(64, ge=1, description="Jobs that may wait in the service's queue")

    history: bool = Field(True, description="Record runs, and offer results that are there already")
    database_url: str = Field("", description="Database of the history, as SQLAlchemy names it; empty = in data")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(False, description="Log files as one JSON object a line")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(_explain(error)) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What wins: arguments, then environment, then ``.env``, then the names of ``ALIASES``."""
        file = getattr(dotenv_settings, "env_file", None)
        return init_settings, env_settings, dotenv_settings, _AliasSource(settings_cls, file)

    @field_validator("weights_dir", "output_dir", "cache_dir", "data_dir", "log_dir")
    @classmethod
    def _from_root(cls, path: Path) -> Path:
        path = path.expanduser()
        return path if path.is_absolute() else _folder(path)

    @field_validator("api_public_url", "api_heartbeat_url", "api_cors_origins")
    @classmethod
    def _addresses(cls, text: str) -> str:
        for address in text.split(","):
            urlsplit(address.strip())  # raises ValueError
        return text

    @field_validator("unload_policy")
    @classmethod
    def _idle_seconds(cls, policy: str | int) -> str | int:
        if isinstance(policy, int) and policy < 1:
            raise ValueError("idle seconds must be at least 1")
        return policy

    def ensure_directories(self) -> None:
        """Make the directories. Raises ``ConfigError`` naming the variable of one that cannot be made."""
        for name in ("weights_dir", "output_dir", "cache_dir", "data_dir", "log_dir"):
            path: Path = getattr(self, name)
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(
                    f"{PREFIX}{name.upper()}: the folder '{path}' cannot be made: {error.strerror or error}."
                ) from error


class _AliasSource(PydanticBaseSettingsSource):
    """The variables in ``ALIASES``, from the environment, then from ``.env``; asked last."""

    def __init__(self, settings_cls: type[BaseSettings], env_file: Path | str | None) -> None:
        super().__init__(settings_cls)
        self._values: dict[str, str | None] = dict(dotenv_values(env_file)) if env_file else {}
        self._values.update(os.environ)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = next(
            (alias for alias, meant in ALIASES.items() if meant == field_name and self._values.get(alias)), None
        )
        return (self._values[name] if name else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def unknown_variables() -> list[str]:
    """``REALESRGAN_*`` variables of the environment that no setting reads: misspelt ones, mostly."""
    known = {f"{PREFIX}{name.upper()}" for name in Config.model_fields}
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)


def _explain(error: ValidationError) -> str:
    sentences: dict[str, str] = {}
    for fault in error.errors():
        name = f"{PREFIX}{str(fault['loc'][0]).upper()}" if fault["loc"] else "settings"
        given = fault["input"]
        message = fault["msg"].removeprefix("Value error, ")
        sentences.setdefault(name, f"{name} is {given!r}: {message}.")
    return " ".join(sentences.values())


__all__ = ["Config", "ConfigError", "unknown_variables"]
