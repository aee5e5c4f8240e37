"""Everything there is to know about a graphics card, in six minutes at most: ``python -m benchmarks.gpu``.

The self-test's verdicts; the published networks in half precision against the original's tiled way and against the
network alone; the share of what the card multiplies; CUDA graphs, torch.compile, layouts and copies, each on and off;
memory that runs out in earnest; memory given back; a film; faces. Prints a Markdown report with the card's name.

``--device cpu --quick`` tries the command itself where there is no card. The original packages
(``pip install -r requirements-reference.txt``) are raced where they are installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gpu_jobs import JOBS, Line

REPOSITORY = Path(__file__).resolve().parent.parent
SECONDS = 360.0
SHARES = {"speeds": 150.0, "ways": 100.0, "shortage": 60.0, "film": 60.0}
SHARE = 45.0
"""The most seconds that a job may take: those named, and every other."""
OURS, OVERHEAD, CEILING = 2.5, 10.0, 35.0
"""Targets on a current card: times the original's speed; % over the network alone; % of the ceiling (x4plus)."""


def run_job(name: str, device: str, quick: bool, seconds: float) -> list[Line]:
    """The lines of one job in a process of its own; its last line says what went wrong, if anything did."""
    command = [sys.executable, "-m", "benchmarks.gpu_jobs", name, device, "quick" if quick else "whole"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        said: list[str] = []
        listener = threading.Thread(target=lambda pipe=process.stderr: said.extend(pipe), daemon=True)
        listener.start()
        stop = threading.Timer(seconds, process.kill)
        stop.start()
        lines = [json.loads(line) for line in process.stdout if line.startswith("{")]
        code, stopped = process.wait(), not stop.is_alive()
        stop.cancel()
        listener.join()
    if code != 0:
        why = f"stopped after {seconds:.0f} s" if stopped else (said or [f"exit code {code}"])[-1].strip()[:200]
        lines.append({"problem": why})
    return lines


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + "---|" * len(cells)]


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def machine_lines(lines: list[Line], _: list[Line]) -> list[str]:
    about = next((line for line in lines if "name" in line), {})
    speeds = ", ".join(f"{line['precision']} {line['tflops']:.1f}" for line in lines if "tflops" in line)
    return [f"{about.get('name', '?')}, {about.get('memory_gb', 0)} GiB, torch {about.get('torch', '?')}.", "",
            f"A plain matrix multiplication reaches, in TFLOP/s: {speeds}."]  # fmt: skip


def verdict_lines(lines: list[Line], _: list[Line]) -> list[str]:
    chosen = [f"{line['network']}: {line['chosen']}" for line in lines if "chosen" in line]
    result = [f"Chosen: {'; '.join(chosen)}.", "", *_head("network", "backend", "s/MP", "dB to fp32", "problem")]
    for line in lines:
        if "backend" in line:
            kind, way = ", ".join(line["kind"]), f"{line['backend']} {line['precision']}"
            result.append(_row(kind, way, line["seconds_per_megapixel"], line["psnr"], line["problem"] or ""))
    return result


def speed_lines(lines: list[Line], machine: list[Line]) -> list[str]:
    ceilings = {line["precision"]: line["tflops"] for line in machine if "tflops" in line}
    result = _head("network", "in", "pixels", "original, tiles (s)", "this engine (s)", "ratio", "network alone (s)",
                   "overhead", "TFLOP/s", "of the ceiling")  # fmt: skip
    for line in lines:
        if "ours" not in line:
            if "left_out" in line:
                result.append(_row(line["network"], line["precision"], line["side"], line["left_out"], *[""] * 6))
            continue
        ours, raw, original = line["ours"], line.get("raw"), line.get("original")
        reached = line["gflop"] / ours / 1e3
        ceiling = ceilings.get(line["precision"])
        result.append(_row(
            line["network"], line["precision"], f"{line['side']}x{line['side']}", _number(original), _number(ours),
            f"{original / ours:.1f}x" if original else "", _number(raw) or line.get("raw_problem", ""),
            f"{100 * (ours / raw - 1):.0f} %" if raw else "", f"{reached:.1f}",
            f"{100 * reached / ceiling:.0f} %" if ceiling else "",
        ))  # fmt: skip
    problems = {line["original_problem"] for line in lines if "original_problem" in line}
    targets = f"Targets: {OURS:g} times the original, {OVERHEAD:g} % overhead, {CEILING:g} % of the ceiling for x4plus."
    return [*result, "", targets, *(f"The original did not run: {problem}" for problem in sorted(problems))]


def way_lines(lines: list[Line], _: list[Line]) -> list[str]:
    result = _head("RealESRGAN_x4plus, one window", "in", "pixels", "seconds", "compiled in (s)")
    for line in lines:
        if "way" in line:
            seconds, compiled = _number(line["seconds"], 4), _number(line.get("compiled_in"), 1)
            result.append(_row(line["way"], line["precision"], line["side"], seconds, compiled))
    return result


def shortage_lines(lines: list[Line], _: list[Line]) -> list[str]:
    result = _head("tile", "needs (MB)", "shrunk", "side afterwards", "worst level of 255")
    for line in lines:
        if "tile" in line:
            needs, worst = _number(line["needed_mb"], 0), line.get("problem") or _number(line.get("worst_level"), 2)
            result.append(_row(line["tile"], needs, line.get("shrunk", ""), line.get("side") or "", worst))
    return result


def plain_lines(lines: list[Line], _: list[Line]) -> list[str]:
    """Jobs whose lines hold one figure or two: their names and values."""
    rows = [line for line in lines if "problem" not in line and "left_out" not in line]
    if not rows:
        return []
    values = [[_number(value, 2) if isinstance(value, float) else value for value in line.values()] for line in rows]
    return [*_head(*rows[0]), *(_row(*row) for row in values)]


TITLES: dict[str, tuple[str, Callable[[list[Line], list[Line]], list[str]]]] = {
    "machine": ("The card", machine_lines),
    "verdicts": ("The self-test's verdicts", verdict_lines),
    "speeds": ("Speed", speed_lines),
    "ways": ("Ways of running", way_lines),
    "shortage": ("Memory that runs out", shortage_lines),
    "unloading": ("Memory given back (MiB free)", plain_lines),
    "film": ("Films, decoding and encoding included", plain_lines),
    "face": ("Seconds a face, GFPGAN's shape", plain_lines),
}


def report(found: dict[str, list[Line]]) -> str:
    """All jobs in Markdown; what failed or was left out says so where its figures would be."""
    parts: list[str] = []
    for name, lines in found.items():
        title, draw = TITLES[name]
        measured = any(not set(line) & {"problem", "left_out"} or "side" in line for line in lines)
        parts += [f"## {title}", "", *(draw(lines, found.get("machine", [])) if measured else [])]
        for line in lines:
            if set(line) & {"problem", "left_out"} and not set(line) & {"tile", "backend", "side"}:
                parts += ["", line.get("problem") or line["left_out"]]
        parts.append("")
    return "\n".join(parts)


def measure(device: str, quick: bool, seconds: float) -> dict[str, list[Line]]:
    """Run every job, within that time in all."""
    found: dict[str, list[Line]] = {}
    end = time.monotonic() + seconds
    for name in JOBS:
        left = end - time.monotonic()
        if left < 5:
            found[name] = [{"left_out": "no time was left"}]
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        found[name] = run_job(name, device, quick, min(left, SHARES.get(name, SHARE)))
    return found


def default_device() -> str | None:
    """The first graphics card of PyTorch, or None."""
    from engine.backends import get_backend

    cards = [name for name in get_backend("torch").devices() if name != "cpu"]
    return cards[0] if cards else None


def main(arguments: list[str] | None = None) -> Any:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", help="cuda:0, xpu:0, mps ... (default: the first card)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="in all (default: %(default)g)")
    parser.add_argument("--quick", action="store_true", help="tiny pictures: tries the command, measures nothing")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    options = parser.parse_args(arguments)
    device = options.device or default_device()
    if device is None:
        parser.error("PyTorch finds no graphics card here (--device cpu --quick tries the command without one)")
    found = measure(device, options.quick, options.seconds)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), "utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
