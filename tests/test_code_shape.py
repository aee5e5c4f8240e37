"""Functions that fit on a screen, modules that can be read in one go, imports in one direction."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FOLDERS = ("engine", "utils", "api", "ui", "cli", "desktop", "training", "benchmarks", "launcher", "freeze")
FILES = ("config.py", "main.py")
MOST_FUNCTION_LINES = 60
MOST_MODULE_LINES = 400
EXCEPTIONS: dict[str, str] = {}
"""``path`` or ``path:function`` -> why it may be longer."""


def modules() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [*found, *(REPOSITORY / name for name in FILES)]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of every function, its docstring and decorators left out."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield node.name, lines


def lengths() -> dict[str, tuple[int, int]]:
    """Every module and function: its lines, and how many it may have."""
    found = {}
    for path in modules():
        name = path.relative_to(REPOSITORY).as_posix()
        found[name] = (len(path.read_text("utf-8").splitlines()), MOST_MODULE_LINES)
        for function, lines in functions(path):
            found[f"{name}:{function}"] = max(found.get(f"{name}:{function}", (0, 0)), (lines, MOST_FUNCTION_LINES))
    return found


def test_no_function_and_no_module_is_too_long():
    too_long = {name: lines for name, (lines, most) in lengths().items() if lines > most}
    assert {name: lines for name, lines in too_long.items() if name not in EXCEPTIONS} == {}


def test_every_exception_is_needed_and_has_a_reason():
    known = lengths()
    for name, reason in EXCEPTIONS.items():
        assert name in known and known[name][0] > known[name][1], f"{name} is not too long any more"
        assert len(reason) > 20


def test_lines_are_counted_without_docstring_and_decorators(tmp_path: Path):
    path = tmp_path / "sample.py"
    path.write_text('@property\ndef f(a):\n    """Two\n    lines."""\n    b = a\n    return b\n')
    assert list(functions(path)) == [("f", 3)]


NOT_IMPORTED = {
    "engine": ("ui", "api", "cli", "desktop", "config", "gradio", "fastapi"),
    "utils": ("engine", "ui", "api", "cli", "desktop", "config", "gradio", "fastapi"),
    "api": ("ui", "cli", "desktop", "gradio"),
    "ui": ("api", "cli", "desktop", "fastapi"),
    "desktop": ("cli", "config", "gradio"),
}
"""Folder -> what none of its modules may import, not even inside a function."""
SCRIPTS_ONLY = {("engine/imaging/direct_call.py", "config"), ("engine/intelligent_enhancer.py", "config")}
"""A script that hands over no settings gets those of the environment."""


def imported(path: Path) -> set[str]:
    """First names of everything that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def test_imports_go_one_way():
    wrong = {
        (path.relative_to(REPOSITORY).as_posix(), name)
        for folder, names in NOT_IMPORTED.items()
        for path in (REPOSITORY / folder).rglob("*.py")
        for name in imported(path) & set(names)
    }
    assert wrong == SCRIPTS_ONLY


ROOMS = (
    "jobs",
    "storage",
    "pixels",
    "models",
    "backends",
    "faces",
    "machine",
    "analysis",
    "imaging",
    "executors",
    "batch",
    "video",
)
"""The engine's folders from the ground up. Each imports those before it; doors (files of the engine itself) any."""


def imports(path: Path, *, types: bool = False) -> Iterator[ast.ImportFrom]:
    """What a module imports when it runs, also inside functions. ``types``: also what type checkers see."""
    left_out: set[int] = set()
    for node in ast.walk(tree := ast.parse(path.read_text("utf-8"))):
        if not types and isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            left_out |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in left_out:
            yield node


def rooms_imported(path: Path) -> set[str]:
    """The engine's folders that a module imports when it runs; what only type checkers see is left out."""
    found = [str(node.module).split(".") for node in imports(path)]
    return {parts[1] for parts in found if parts[0] == "engine" and len(parts) > 1} & set(ROOMS)


def test_the_engines_rooms_stand_on_each_other():
    """No circle between them, and every folder has its place."""
    engine = REPOSITORY / "engine"
    assert {path.name for path in engine.iterdir() if (path / "__init__.py").exists()} == set(ROOMS)
    upwards = {
        (path.relative_to(REPOSITORY).as_posix(), room)
        for floor, name in enumerate(ROOMS)
        for path in (engine / name).rglob("*.py")
        for room in rooms_imported(path) & set(ROOMS[floor + 1 :])
    }
    assert upwards == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_imports(room):
    """Its ``__init__`` names the rooms that its modules import when they run: those, and no other."""
    folder = REPOSITORY / "engine" / room
    said = re.search(
        r"Imports (.*?)(?:;|\.\s)", f"{ast.get_docstring(ast.parse(read(folder / '__init__.py')))}\n", re.S
    )
    assert said is not None
    found = {name for path in folder.rglob("*.py") for name in rooms_imported(path)} - {room}
    assert set(re.findall(r"\w+", said[1])) & set(ROOMS) == found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_told_in_three_lines(room):
    """What is in it and, behind an empty line, what it imports."""
    said = ast.get_docstring(ast.parse(read(REPOSITORY / "engine" / room / "__init__.py"))) or ""
    assert len(said.splitlines()) == 3


def test_a_room_that_names_what_it_gives_is_entered_by_its_door():
    closed = [name for name in ROOMS if "__all__" in read(REPOSITORY / "engine" / name / "__init__.py")]
    assert closed == ["executors", "batch", "video"]
    inside = {
        (path.relative_to(REPOSITORY).as_posix(), node.module)
        for path in modules()
        if path.parts[len(REPOSITORY.parts)] not in ("benchmarks", "training")  # which measure what is inside
        for node in imports(path, types=True)
        for name in closed
        if str(node.module).startswith(f"engine.{name}.") and not path.is_relative_to(REPOSITORY / "engine" / name)
    }
    assert inside == set()


def read(path: Path) -> str:
    return path.read_text("utf-8")


def names_defined(path: Path) -> set[str]:
    """Classes, functions and values of a module that are not its own affair; type variables are."""
    found: set[str] = set()
    for node in ast.parse(read(path)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return {name for name in found if not name.startswith("_")} - {"T", "logger"}


def test_no_name_is_defined_in_two_rooms():
    """Of the engine, nor in one of them and in the interface or the API, whose routes are named by what is asked for."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for folder in ("engine", "ui", "api"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            inside = path.relative_to(REPOSITORY / folder).parts
            for name in names_defined(path) if (folder, inside[0]) != ("api", "routes") else ():
                rooms[name].add(inside[0] if folder == "engine" else folder)
    assert {name: where for name, where in rooms.items() if len(where) > 1} == {}


def test_no_modules_import_each_other():
    """Neither two of them nor a longer circle, neither when they are loaded nor inside functions."""
    paths = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules()
    }
    graph = {
        name: {
            full if (full := f"{node.module}.{one.name}") in paths else str(node.module)
            for node in imports(path)
            for one in node.names
        }
        & (set(paths) - {name})
        for name, path in paths.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_the_glossary_is_short_and_has_each_word_once():
    page = read(REPOSITORY / "docs" / "ARCHITECTURE.md")
    rows = page.partition("| word | thing |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    words = [word for row in rows for word in row.split("|")[1].strip().split(", ")]
    assert 10 < len(words) == len(set(words)) <= 20


@pytest.mark.parametrize(("package", "module"), [("cv2", "opencv.py"), ("openvino", "openvino.py")])
def test_some_packages_are_imported_in_one_place(package, module):
    """Two threads that import OpenCV by themselves can get a half one; OpenVINO by itself reports to its makers."""
    folders = ("engine", "utils", "api", "ui", "cli", "desktop")
    found = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py") if package in imported(path)]
    assert found == [REPOSITORY / "utils" / module]


ANY_FORCED = {
    "engine/backends/exact_input.py": "torch: what a module holds is a tensor or a module to mypy, whatever its class",
    "engine/backends/torch_backend.py": "torch: a network that has ``features`` is a plain module to mypy",
    "engine/executors/ray_executor.py": "Ray: an actor's methods, and what they answer, have no types from outside",
    "engine/executors/worker_process.py": "multiprocessing: a pipe gives whatever was put in at its other end",
    "engine/models/downloader.py": "httpx: its extension 'trace' hands over a dict of whatever a step knows",
    "engine/models/pickled_arrays.py": "pickle: a file may claim anything of a tensor, and is checked afterwards",
    "utils/json_types.py": "json: what it reads; all others say JsonObject or JsonValue",
    "utils/video_files.py": "PyAV: its types take all side data of a frame for a single piece",
}
"""Module -> the library, and why no other type can be named there."""


def says_any(path: Path) -> bool:
    """Whether a module takes ``Any`` from ``typing``, or all of that module, from which it could."""
    for node in ast.walk(ast.parse(read(path))):
        names = {one.name for one in node.names} if isinstance(node, ast.Import | ast.ImportFrom) else set()
        if isinstance(node, ast.Import) and names & {"typing", "typing_extensions"}:
            return True
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("typing") and names & {"Any", "*"}:
            return True
    return False


def test_any_stands_only_where_a_library_forces_it():
    """mypy's ``disallow_any_explicit`` cannot say this: numpy's plain ``np.ndarray`` is an ``Any`` to it.

    Ruff refuses imports that are not used, so a module that needs ``Any`` no longer leaves this list.
    """
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for folder in ("engine", "utils")
        for path in (REPOSITORY / folder).rglob("*.py")
        if says_any(path)
    }
    assert found == set(ANY_FORCED)
