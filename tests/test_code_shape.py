"""Functions that fit on a screen, modules that can be read in one go, imports in one direction."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FOLDERS = ("engine", "utils", "api", "ui", "cli", "training", "benchmarks")
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
    "engine": ("ui", "api", "cli", "config", "gradio", "fastapi"),
    "utils": ("engine", "ui", "api", "cli", "config", "gradio", "fastapi"),
    "api": ("ui", "cli", "gradio"),
    "ui": ("api", "cli", "fastapi"),
}
"""Folder -> what none of its modules may import, not even inside a function."""
SCRIPTS_ONLY = {("engine/direct.py", "config"), ("engine/intelligent_enhancer.py", "config")}
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


@pytest.mark.parametrize(("package", "module"), [("cv2", "opencv.py"), ("openvino", "openvino.py")])
def test_some_packages_are_imported_in_one_place(package, module):
    """Two threads that import OpenCV by themselves can get a half one; OpenVINO by itself reports to its makers."""
    folders = ("engine", "utils", "api", "ui", "cli")
    found = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py") if package in imported(path)]
    assert found == [REPOSITORY / "utils" / module]
