"""``faces``: what would be done with a picture's faces, and their strength changed afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.terminal import output_file
from utils.errors import InvalidSettingsError
from utils.installation import command

app = typer.Typer(help="List the faces in pictures; change their strength in finished ones.", no_args_is_help=True)
_Option = typer.Option


@app.command("list")
def list_faces(
    inputs: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    faces: Annotated[str, _Option(help="Decide as `enhance --faces` would: on or auto.")] = "on",
    min_face: Annotated[int, _Option(help="Leave smaller faces alone, in pixels.")] = 24,
    large_faces: Annotated[bool, _Option("--large-faces", help="Faces over 512 pixels too.")] = False,
    central_face: Annotated[bool, _Option("--central-face", help="Only the face nearest to the middle.")] = False,
    preview: Annotated[
        Path | None,
        _Option(parser=output_file, metavar="FILE", help="Write the picture with numbered boxes (one input)."),
    ] = None,
    force: Annotated[bool, _Option("--force", "-f", help="Replace an existing preview.")] = False,
    as_json: Annotated[bool, _Option("--json", help="One JSON object a picture on standard output.")] = False,
) -> None:
    """Say which faces are found and whether they would be restored. The numbers serve --keep-faces, --skip-faces."""
    from cli.terminal import start
    from engine.face_restorer import FaceRestorer
    from engine.faces.missing_models import missing_face_models
    from engine.model_manager import ModelManager
    from engine.processor import limits_of
    from engine.storage.output_names import check_output, output_format
    from engine.types import EnhanceSettings
    from utils import image_io

    if preview is not None and len(inputs) != 1:
        raise InvalidSettingsError("--preview is for one picture.")
    settings = EnhanceSettings.create(
        face_enhance=faces, face_min_height=min_face, face_large=large_faces, face_central_only=central_face
    )
    config = start(False)
    manager = ModelManager.from_config(config)
    restorer = FaceRestorer(manager)
    absent = missing_face_models(manager)
    for path in inputs:
        picture = image_io.load(path, limits_of(config))
        if preview is not None:
            check_output(path, preview, force)
            kind = output_format(settings, "png", preview)
        found = restorer.find(picture, settings)
        if preview is not None:
            _write_preview(picture, found, preview, kind)
        rows = [one.to_json() for one in found]
        if as_json:
            answer: dict[str, Any] = {"input": str(path), "detector": restorer.detector.name, "faces": rows}
            print(json.dumps(answer | {"need": absent.to_json() if absent else None}, ensure_ascii=False))
            continue
        print(f"{path}: {len(found)} face{'' if len(found) == 1 else 's'}")
        for row in rows:
            decision = "restored" if row["restore"] else "left alone"
            print(f"  {row['number']}. at {row['box'][0]},{row['box'][1]}: {decision}. {row['reason']}")
    if absent is not None and not as_json:
        missing = " and ".join(map(str, absent.missing))
        print(f"To restore them, {missing} would have to be downloaded: `{command()} models download NAME`.")


def _write_preview(picture: Any, found: Any, path: Path, kind: str) -> None:
    from engine.faces.preview import numbered
    from utils import image_io
    from utils.writers import SaveOptions

    shown = numbered(picture, found)
    image_io.save(image_io.from_array(shown.pixels), path, SaveOptions(format=kind))


@app.command()
def adjust(
    result: Annotated[Path, typer.Argument(help="A picture that `enhance --faces` has written.")],
    output: Annotated[Path, _Option("--output", "-o", parser=output_file, metavar="FILE", help="Output file.")],
    strength: Annotated[float | None, _Option(help="Share of the restored faces, 0 to 1.")] = None,
    face: Annotated[list[str] | None, _Option(help="Strength of one face, e.g. 2=0.3; repeatable.")] = None,
    guard: Annotated[bool, _Option(help="Keep back what the identity guard kept back.")] = True,
    force: Annotated[bool, _Option("--force", "-f", help="Replace an existing output.")] = False,
    as_json: Annotated[bool, _Option("--json", help="As JSON.")] = False,
) -> None:
    """Change how strongly faces are restored in a finished picture; no network runs."""
    from cli.terminal import start
    from engine.faces.adjust import adjust_faces

    config = start(False)
    strengths = dict(_one_face(text) for text in face or ())
    done = adjust_faces(
        result,
        output,
        cache_dir=config.cache_dir,
        strength=strength,
        strengths=strengths,
        guard=guard,
        overwrite=force,
    )
    if as_json:
        print(json.dumps({"output": str(done.output_path), "faces": list(done.faces)}, ensure_ascii=False))
        return
    shown = ", ".join(f"{row['number']}: {row['strength']:g}" for row in done.faces if "strength" in row)
    print(f"{done.output_path}: strength of faces {shown}")


def _one_face(text: str) -> tuple[int, float]:
    number, equals, value = text.partition("=")
    try:
        return int(number), float(value if equals else "x")
    except ValueError:
        raise InvalidSettingsError(f"--face must look like 2=0.3 (number = strength), not '{text}'.") from None
