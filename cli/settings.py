"""The options that make up ``EnhanceSettings``, written once for every command that enhances."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import typer

from engine.types import EnhanceSettings
from utils.errors import InvalidSettingsError
from utils.page_numbers import PDF_DPI

_Option = typer.Option
_FIELD_OF = {
    "denoise": "denoise_strength",
    "faces": "face_enhance",
    "min_face": "face_min_height",
    "central_face": "face_central_only",
    "large_faces": "face_large",
    "keep_faces": "face_keep",
    "skip_faces": "face_skip",
    "format_": "format",
    "whole": "auto_tile",
}
"""Options whose name is not the setting's."""


def with_settings(
    command: Callable[..., Any], only: Collection[str] = (), without: Collection[str] = ()
) -> Callable[..., Any]:
    """Give a command the options of the settings; it receives them as one value, its parameter ``settings``.

    The command line is built from signatures, so the options are spliced in where ``settings`` stands. A command with a
    parameter ``typed`` gets there what was really typed, of all its options: the parameter's name -> the option's.

    Args:
        only: names of the options it gets; empty = all but those ``without``.
    """
    chosen = only or _OPTIONS.keys() - set(without)
    options = {name: option for name, option in _OPTIONS.items() if name in chosen}
    own = inspect.signature(command, eval_str=True).parameters
    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for name, parameter in own.items():
        added = {"settings": [_PRESET, *options.values()], "typed": []}.get(name, [parameter])
        parameters += [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in added]

    @functools.wraps(command)
    def run(context: typer.Context, preset: str | None, **values: Any) -> Any:
        fields = _fields({name: values.pop(name) for name in options})
        settings = _over_preset(context, preset, fields) if preset else EnhanceSettings.create(**fields)
        if "typed" in own:
            values["typed"] = _typed(context)
        return command(settings=settings, **values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


_PRESET = inspect.Parameter(
    "preset",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        str | None, _Option(help="Start from a preset, see `presets list`; options given beside it win.")
    ],
)


def _options(
    model: Annotated[str, _Option(help="Model name, lanczos/bicubic/bilinear/nearest, or auto.")] = "auto",
    mode: Annotated[
        str,
        _Option(
            help="What an automatic model is chosen for: best, balanced (best within a minute, else quick), quick, "
            "faithful (nothing invented), or auto (pictures: best; videos: quick)."
        ),
    ] = "auto",
    scale: Annotated[float | None, _Option(help="Enlargement, 1 to 16.")] = None,
    width: Annotated[int | None, _Option(help="Output width in pixels.")] = None,
    height: Annotated[int | None, _Option(help="Output height in pixels.")] = None,
    fit: Annotated[str, _Option(help="With width and height: fit, fill, pad or stretch.")] = "fit",
    long_edge: Annotated[int | None, _Option(help="Longer output side in pixels, e.g. 3840.")] = None,
    print_size: Annotated[str | None, _Option(help="Print size in centimetres, e.g. 20x30.")] = None,
    dpi: Annotated[float, _Option(help="Resolution of the print.")] = 300.0,
    max_megabytes: Annotated[float | None, _Option(help="Largest output file in MB.")] = None,
    skip_if_large_enough: Annotated[bool, _Option(help="Copy pictures that reach the goal already.")] = False,
    tile: Annotated[int, _Option(help="Tile side in pixels; 0 = automatic.")] = 0,
    whole: Annotated[bool, _Option("--whole", help="Run the whole picture as one tile.")] = False,
    precision: Annotated[str, _Option(help="auto, fp32, fp16, bf16 or int8 (calibrated networks).")] = "auto",
    backend: Annotated[str, _Option(help="auto, openvino, torch, ncnn or original.")] = "auto",
    device: Annotated[str, _Option(help="auto, cpu, cuda:0, mps, xpu:0, vulkan:0.")] = "auto",
    denoise: Annotated[float | None, _Option(help="Denoise strength 0 to 1 (realesr-general-x4v3).")] = None,
    faces: Annotated[str, _Option(help="Restore faces: off, on, or auto (not those that are sharp).")] = "off",
    face_strength: Annotated[float, _Option(help="Share of the restored face, 0 to 1.")] = 0.8,
    face_model: Annotated[str, _Option(help="Face model name, or auto.")] = "auto",
    min_face: Annotated[int, _Option(help="Leave smaller faces alone, in pixels of the input.")] = 24,
    central_face: Annotated[bool, _Option("--central-face", help="Only the face nearest to the middle.")] = False,
    large_faces: Annotated[bool, _Option("--large-faces", help="Faces over 512 pixels too.")] = False,
    keep_faces: Annotated[str, _Option(help="Only these faces, e.g. 1,3 (numbers: `faces list`).")] = "",
    skip_faces: Annotated[str, _Option(help="Not these faces, e.g. 2.")] = "",
    face_guard: Annotated[bool, _Option(help="Blend faces back that changed too far.")] = True,
    color_match: Annotated[bool, _Option(help="Keep the input's colours.")] = True,
    seamless: Annotated[
        str, _Option(help="The picture is a texture that repeats: off, x (left meets right), y, or both.")
    ] = "off",
    normal_map: Annotated[
        bool, _Option("--normal-map", help="The picture is a normal map: its vectors keep length 1.")
    ] = False,
    fidelity: Annotated[float, _Option(help="Share of the plainly resized input, 0 to 1.")] = 0.0,
    format_: Annotated[str, _Option("--format", help="auto, png, jpeg, webp, avif, jxl, tiff, gif or pdf.")] = "auto",
    quality: Annotated[int, _Option(help="Quality of lossy formats, 1 to 100.")] = 95,
    lossless: Annotated[bool, _Option(help="Lossless WebP, JPEG XL and PDF pages.")] = False,
    exif: Annotated[str, _Option(help="keep, no-location or drop.")] = "keep",
    embed_settings: Annotated[bool, _Option(help="Write the settings into the output's metadata.")] = True,
    pages: Annotated[str, _Option(help="Pages of a TIFF or PDF, e.g. 1-3,7 or 5-; by default all.")] = "",
    pdf_dpi: Annotated[float, _Option(help="Resolution of PDF pages that are no scanned pictures.")] = PDF_DPI,
    salvage: Annotated[
        bool, _Option("--salvage", help="Take what can be decoded of a damaged picture, and say what is missing.")
    ] = False,
) -> None:
    """Nothing but its signature: every option with its type, help and default."""


_OPTIONS = inspect.signature(_options, eval_str=True).parameters


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``EnhanceSettings`` that options stand for; options not given have their defaults."""
    options = {name: given.get(name, option.default) for name, option in _OPTIONS.items()}
    fields = {_FIELD_OF.get(name, name): value for name, value in options.items()}
    if options["whole"] and options["tile"]:
        raise InvalidSettingsError("--whole and --tile contradict each other: the whole picture is one tile.")
    return fields | {
        "print_size": _print_size(options["print_size"]),
        "auto_tile": not options["whole"] and options["tile"] == 0,
        "face_enhance": options["faces"].strip().lower(),
        "face_keep": face_numbers(options["keep_faces"], "--keep-faces"),
        "face_skip": face_numbers(options["skip_faces"], "--skip-faces"),
    }


def _over_preset(context: typer.Context, preset: str, fields: dict[str, Any]) -> EnhanceSettings:
    """A preset's settings, overruled by the options that were really typed."""
    from config import Config
    from engine.model_manager import ModelManager
    from engine.settings_manager import SettingsManager

    config = Config()
    explicit = {_FIELD_OF.get(name, name) for name in _typed(context)} & fields.keys()
    if "tile" in explicit:
        explicit.add("auto_tile")
    manager = SettingsManager.from_config(config)
    installed = [status.name for status in ModelManager.from_config(config).list() if status.installed]
    settings = manager.settings_from(preset, {name: fields[name] for name in explicit}, installed)
    for notice in manager.notices:
        print(f"Note: {notice}", file=sys.stderr)
    return settings


def _typed(context: typer.Context) -> dict[str, str]:
    """The parameters that stand on the command line, and how their options are called."""
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name and source is not None and source.name == "COMMANDLINE":
            off = context.params.get(parameter.name) is False and parameter.secondary_opts
            found[parameter.name] = parameter.secondary_opts[0] if off else parameter.opts[0]
    return found


def _print_size(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    width, cross, height = text.lower().removesuffix("cm").partition("x")
    try:
        return (float(width), float(height)) if cross else None or _bad_print_size(text)
    except ValueError:
        return _bad_print_size(text)


def face_numbers(text: str, option: str) -> tuple[int, ...]:
    """``1,3`` as numbers. Raises ``InvalidSettingsError`` naming the option."""
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise InvalidSettingsError(f"{option} must be face numbers like 1,3, not '{text}'.") from None


def _bad_print_size(text: str) -> tuple[float, float]:
    raise InvalidSettingsError(f"--print-size must look like 20x30 (centimetres), not '{text}'.")
