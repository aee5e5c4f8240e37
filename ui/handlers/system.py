"""The System Info tab's work: facts as HTML, models on disk, unloading, the log and the report."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from engine.machine.benchmark import MachineTest
from engine.machine.report import FolderFacts, limits, package_versions
from engine.model_manager import ModelManager
from engine.models.store import ModelStatus
from engine.models.wheel_pairs import in_pack
from engine.models.wheels import WHEELS
from ui.handlers.batch_view import size_words
from ui.handlers.common import time_words
from ui.strings import Words
from utils.gpu import memory_now

_MB = 2**20
_REST_SECONDS = 4.0
PACK_PREFIX = "pack:"
"""Begins the dropdown's values that stand for all networks of a data wheel; no model's name holds a colon."""
DOWNLOADABLE = ("upscale", "face", "detector", "parser")


def card(title: str, body: str) -> str:
    """A titled box. ``body`` is HTML."""
    return f'<section class="card" aria-label="{escape(title)}"><h3>{escape(title)}</h3>{body}</section>'


def facts_table(rows: list[tuple[str, str]]) -> str:
    """(label, value) rows; values are HTML."""
    body = "".join(f'<tr><th scope="row">{escape(label)}</th><td>{value}</td></tr>' for label, value in rows)
    return f'<table class="rows facts"><tbody>{body}</tbody></table>'


def bar(share: float, label: str) -> str:
    percent = round(100 * min(1.0, max(0.0, share)))
    kind = "bar tight" if percent >= 90 else "bar"
    return (
        f'<div class="{kind}" role="meter" aria-label="{escape(label)}" aria-valuenow="{percent}" aria-valuemin="0" '
        f'aria-valuemax="100"><div style="width:{percent}%"></div></div>'
    )


def machine_html(facts: dict[str, Any], words: Words) -> str:
    """Processor, instruction sets, GPUs, system."""
    features = " ".join(f'<span class="chip">{escape(name)}</span>' for name in facts["cpu_features"]) or "-"
    rows = [
        (words("system_cpu"), escape(facts["cpu"])),
        (words("system_cores"), str(facts["cores"])),
        (words("system_features"), features),
    ]
    for gpu in facts["gpus"]:
        memory = f", {size_words(gpu['total_memory_mb'] * _MB)}" if gpu["total_memory_mb"] else ""
        rows.append((gpu["id"], escape(words.said(gpu["name"])) + memory))
    if not facts["gpus"]:
        rows.append((words("system_gpu"), words("system_no_gpu")))
    rows += [(words("system_platform"), escape(facts["platform"])), ("Python", escape(facts["python"]))]
    return card(words("system_machine"), facts_table(rows))


def versions_html(words: Words) -> str:
    rows = [(name, escape(words.said(version))) for name, version in package_versions().items()]
    return card(words("system_versions"), facts_table(rows))


def memory_html(executor: Any, words: Words) -> str:
    """Memory at this moment: the machine's, the server's, the workers'."""
    now = memory_now()
    used = now["total"] - now["available"]
    machine = words("system_of", used=size_words(used * _MB), total=size_words(now["total"] * _MB))
    rows = [(words("system_server_process"), size_words(now["process"] * _MB))]
    for runner in _runners(executor):
        if runner.pid is not None and runner.memory_mb is not None and runner.name != "in-process":
            rows.append((words.said(runner.name), size_words(runner.memory_mb * _MB)))
    return card(
        words("system_memory"),
        f'<p class="job-line"><span>{words("system_memory_used")}</span><span>{machine}</span></p>'
        f"{bar(used / now['total'], words('system_memory_used'))}{facts_table(rows)}",
    )


def _runners(executor: Any) -> tuple[Any, ...]:
    return executor.stats().runners if executor is not None else ()


def loaded_models(executor: Any, manager: ModelManager) -> dict[str, Any]:
    """Loaded models of this process and of every worker: name -> facts."""
    found = dict(manager.status())
    for runner in _runners(executor):
        for name, facts in runner.details.get("models", {}).items():
            found[name if runner.name == "in-process" else f"{name}, {runner.name}"] = facts
    return found


def loaded_html(executor: Any, manager: ModelManager, words: Words) -> str:
    """Loaded models with their memory, and the workers that hold them."""
    rows = []
    for name, facts in loaded_models(executor, manager).items():
        weights = words("system_weights", size=size_words(facts["weights_mb"] * _MB))
        rows.append((words.said(name), f"{escape(facts['device'])}, {weights}"))
    for runner in _runners(executor):
        if runner.name == "in-process":
            continue
        state = (
            words(f"system_runner_{runner.state}") if f"system_runner_{runner.state}" in words.table else runner.state
        )
        memory = f" {size_words(runner.memory_mb * _MB)}" if runner.memory_mb else ""
        rows.append(
            (words.said(runner.name), f'<span class="chip {escape(runner.state)}">{escape(state)}</span>{memory}')
        )
    body = facts_table(rows) if rows else ""
    if not loaded_models(executor, manager):
        body = f'<p class="quiet">{words("system_none_loaded")}</p>{body}'
    return card(words("system_loaded"), body)


def unload(executor: Any, manager: ModelManager, words: Words) -> str:
    """Give the memory of loaded models back; says how much that was."""
    held = _held_mb(executor)
    count = len(loaded_models(executor, manager))
    manager.unload_all()
    if executor is not None:
        executor.rest()
        until = time.monotonic() + _REST_SECONDS
        while time.monotonic() < until and any(runner.state == "idle" for runner in _runners(executor)):
            time.sleep(0.05)
    left = len(loaded_models(executor, manager))
    if not count:
        return words("system_nothing_to_unload")
    freed = size_words(max(0.0, held - _held_mb(executor)) * _MB)
    text = words("system_unloaded", count=count - left, freed=freed)
    return f"{text} {words('system_still_busy', count=left)}" if left else text


def _held_mb(executor: Any) -> float:
    workers = sum(runner.memory_mb or 0.0 for runner in _runners(executor) if runner.name != "in-process")
    return workers + memory_now()["process"]


def model_state(status: ModelStatus) -> str:
    """One word: verified, pinned, unverified, missing or problem."""
    return "problem" if status.problem else status.verified


def state_words(status: ModelStatus, words: Words) -> str:
    """The state in words, and of what came with the set-up that it did."""
    word = words(f"system_state_{model_state(status)}")
    return f"{word}, {words('system_from_setup')}" if status.source == "set-up" else word


def models_html(manager: ModelManager, words: Words) -> str:
    """Every known model and every checkpoint in the weights folder."""
    columns = ("model", "state", "kind", "size", "licence")
    head = "".join(f'<th scope="col">{words(f"system_column_{name}")}</th>' for name in columns)
    body = "".join(_model_row(status, words) for status in manager.list())
    label = words("system_models")
    return (
        f'<div class="table-box" tabindex="0" role="region" aria-label="{label}"><table class="rows">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _model_row(status: ModelStatus, words: Words) -> str:
    state = model_state(status)
    why = f'<p class="reason">{escape(words.said(status.problem))}</p>' if status.problem else ""
    kind = words(f"system_kind_{status.kind}") if f"system_kind_{status.kind}" in words.table else status.kind
    scale = f" ×{status.scale}" if status.kind == "upscale" else ""
    return (
        f"<tr><td><span>{escape(status.name)}</span>"
        f'<p class="remark">{escape(words.said(status.purpose))}</p>{why}</td>'
        f'<td class="short"><span class="chip {state}">{state_words(status, words)}</span></td>'
        f'<td class="short">{escape(kind)}{scale}</td>'
        f'<td class="short">{size_words(status.size) if status.size else "?"}</td>'
        f'<td class="short">{escape(words.said(status.licence))}</td></tr>'
    )


def model_choices(manager: ModelManager, words: Words) -> list[tuple[str, str]]:
    """(label, name) of every model, its size and state in the label."""
    return [
        (
            f"{status.name} · {size_words(status.size) if status.size else '?'} · {state_words(status, words)}",
            status.name,
        )
        for status in manager.list()
    ] + _pack_choices(manager, words)


def _pack_choices(manager: ModelManager, words: Words) -> list[tuple[str, str]]:
    """(label, value) of every data wheel that would bring something."""
    here = {status.name for status in manager.list() if status.installed and status.problem is None}
    return [
        (words("system_pack", name=pack, count=len(in_pack(pack)), size=size_words(wheel.size)), f"{PACK_PREFIX}{pack}")
        for pack, wheel in WHEELS.items()
        if not here.issuperset(in_pack(pack)) and set(in_pack(pack)) <= set(manager.specs)
    ]


def pack_of(chosen: str | None) -> str | None:
    """The pack that an entry of the dropdown stands for; None for a model."""
    return chosen.removeprefix(PACK_PREFIX) if chosen and chosen.startswith(PACK_PREFIX) else None


def status_of(manager: ModelManager, name: str | None) -> ModelStatus | None:
    return manager.status_of(name) if name else None


def may_download(manager: ModelManager, status: ModelStatus | None) -> bool:
    """Whether a model is missing and an address for it is known."""
    spec = manager.specs.get(status.name) if status is not None else None
    if status is None or spec is None or not spec.can_be_brought:
        return False
    return not status.installed or (status.source == "set-up" and status.problem is not None)


def may_delete(manager: ModelManager, status: ModelStatus | None) -> bool:
    return status is not None and status.installed and status.source not in ("embedded", "set-up")


def folders_html(folders: tuple[FolderFacts, ...], words: Words) -> str:
    """What lies in the program's folders, and what is free on their disks."""
    rows = [
        (
            words(f"system_folder_{one.name}"),
            f"{size_words(one.used)}<br><small>{escape(str(one.path))}</small>",
        )
        for one in folders
    ]
    disk = folders[0]
    free = words("system_free", free=size_words(disk.free), total=size_words(disk.total))
    line = f'<p class="job-line"><span>{words("system_disk_used")}</span><span>{free}</span></p>'
    meter = bar(1 - disk.free / disk.total, words("system_disk"))
    return card(
        words("system_disk"),
        f"{line}{meter}{facts_table(rows)}",
    )


def limits_html(config: Any, words: Words) -> str:
    rows = [
        (words(f"system_limit_{name.replace(' ', '_')}"), escape(words.said(value)))
        for name, value in limits(config).items()
    ]
    return card(words("system_limits"), facts_table(rows))


def machine_test_html(result: MachineTest, words: Words) -> str:
    """What the test measured, and what that means for a photograph."""
    rows = [
        (words("system_test_model"), escape(f"{result.model} ({result.backend}, {result.device}, {result.precision})")),
        (
            words("system_test_speed"),
            words(
                "system_test_rate",
                rate=result.input_megapixels_per_second,
                output=result.input_megapixels_per_second * result.scale**2,
            ),
        ),
        (words("system_test_encode"), f"{result.encode_megapixels_per_second:.0f} MP/s"),
        (words("system_test_load"), time_words(words, result.load_seconds)),
    ]
    rows += [
        (
            words("system_test_photo", megapixels=megapixels, scale=result.scale),
            words("system_about", time=time_words(words, result.seconds_for(megapixels))),
        )
        for megapixels in (2, 12)
    ]
    return card(words("system_test_result"), facts_table(rows))
