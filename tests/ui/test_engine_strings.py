"""Every sentence of the engine that a person can meet has its words in every language of the interface."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import IntelligentEnhancer, ModelManager
from ui.strings import LANGUAGES, words_in
from ui.strings.engine import MODULES, table
from ui.strings.languages import words_of

ROOT = Path(__file__).resolve().parents[2]
NOT_SHOWN = {
    "engine/backends/original.py",  # the original packages, for comparisons from the command line
    "engine/executors/ray_executor.py",  # a cluster is used from the command line and the API
    "utils/image_io.py",  # arrays handed over in Python
    "utils/picture.py",
    "utils/pixels.py",
    "utils/logger.py",
}
OTHERS = [language for language in LANGUAGES if language != "en"]
_FIELD = re.compile(r"\{\d*\}")


def template(node: ast.AST) -> str | None:
    """The text of a string in the source, with ``{}`` for every value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def sentences(source: str) -> Iterator[str]:
    """What is written for people: strings that end as sentences do, without docstrings and lines of the log."""
    tree = ast.parse(source)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        inside: list[ast.AST] = []
        if isinstance(node, ast.Expr):
            inside = [node.value] if isinstance(node.value, ast.Constant) else []
        elif isinstance(node, ast.JoinedStr):
            inside = list(ast.walk(node))[1:]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
            inside = list(ast.walk(node))
        left_out |= {id(one) for one in inside}
    for node in ast.walk(tree):
        text = template(node) if id(node) not in left_out else None
        if text is not None and re.fullmatch(r".*\w.* .*(\.|: \{\})", text.strip(), re.DOTALL):
            yield text.strip()


def of_the_engine() -> dict[str, str]:
    """Sentence -> file, of everything whose sentences the interface shows."""
    found = {}
    for folder in ("engine", "utils", "ui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in NOT_SHOWN and not name.startswith("ui/strings/"):
                found |= dict.fromkeys(sentences(path.read_text("utf-8")), name)
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_engine_has_its_words(language):
    say = words_in(language).said

    def has_words(text: str) -> bool:
        filled = text.replace("{}", "7")
        return say(filled) != filled

    missing = {text: name for text, name in of_the_engine().items() if not has_words(text)}
    assert not missing, "add them to ui/strings/engine: " + "\n".join(
        f"{name}: {text}" for text, name in missing.items()
    )


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_knows_the_same_sentences(language):
    """Also those that the source above does not show: words, and parts of sentences."""

    def known(to: str) -> set[str]:
        return {f"{module}: {sentence}" for module in MODULES for sentence in words_of(f"engine.{module}", to)}

    missing = set().union(*map(known, OTHERS)) - known(language)
    assert not missing, f"{language} lacks these; ui/strings/languages.py says where they belong"


@pytest.mark.parametrize("language", OTHERS)
def test_the_words_keep_every_value(language):
    def values(text: str, *, count: int) -> set[int]:
        left = iter(range(count))
        return {int(field[1:-1]) if field != "{}" else next(left) for field in _FIELD.findall(text)}

    for english, other in table(language).items():
        count = len(_FIELD.findall(english))
        assert values(other, count=count) == set(range(count)), english
        assert other.strip()


def test_values_and_sentences_within_sentences_are_said_too():
    say = words_in("de").said
    assert say("Cannot write 'a.png': the disk is full. Nothing was left behind.") == (
        "„a.png“ kann nicht geschrieben werden: der Datenträger ist voll. Nichts blieb zurück."
    )
    assert say("'x' has no denoise strength; it was ignored. Quality was lowered to 60 to stay below 1 MB.") == (
        "„x“ kennt keine Rauschstärke; sie blieb unbeachtet. Die Qualität wurde auf 60 gesenkt, um unter 1 MB zu bleiben."
    )
    assert words_in("es").said("Cannot write 'a.png': the disk is full. Nothing was left behind.") == (
        "No se puede escribir «a.png»: el disco está lleno. No ha quedado nada."
    )
    assert say("Nobody wrote this. There is no picture.") == "Nobody wrote this. Es ist kein Bild da."
    assert words_in("en").said("There is no picture.") == "There is no picture."


@pytest.mark.parametrize(
    ("english", "german", "spanish"),
    [
        (
            "'a.jxl' cannot be read: its profile is damaged.",
            "„a.jxl“ ist nicht lesbar: das Profil ist beschädigt.",
            "«a.jxl» no se puede leer: su perfil está dañado.",
        ),
        (
            "scale: Input should be less than or equal to 16 (given: 50); tile: tile must be 0 (automatic) or at least "
            "32 pixels (given: 5)",
            "scale: höchstens 16 ist möglich (angegeben: 50); tile: die Kachel ist 0 (automatisch) oder hat mindestens "
            "32 Pixel (angegeben: 5)",
            "scale: como máximo es posible 16 (indicado: 50); tile: la tesela debe ser 0 (automática) o de al menos "
            "32 píxeles (indicado: 5)",
        ),
        (
            "'y' (GFPGAN) is not an upscaling model.",
            "„y“ (GFPGAN) ist kein Modell dieser Art (Vergrößern).",
            "«y» (GFPGAN) no es un modelo de esta clase (ampliación).",
        ),
        (
            "Cancelled: the file holds the first 12 of 40 frames. The same command goes on from there.",
            "Abgebrochen: die Datei enthält die ersten 12 von 40 Bildern. Derselbe Auftrag geht dort weiter.",
            "Cancelado: el archivo contiene los primeros 12 de 40 fotogramas. El mismo trabajo continúa desde ahí.",
        ),
        ("lanczos, worker-2", "lanczos, Arbeitsprozess 2", "lanczos, proceso de trabajo 2"),
    ],
)
def test_the_reasons_within_are_said_too(english, german, spanish):
    assert words_in("de").said(english) == german
    assert words_in("es").said(english) == spanish


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("kind", ["noise", "flat", "large", "gray"])
def test_reasons_hold_no_english_words(tmp_path, kind, language):
    random = np.random.default_rng(1)
    pixels = {
        "noise": random.integers(0, 255, (200, 300, 3), np.uint8),
        "flat": np.kron(random.integers(0, 2, (20, 20, 1), np.uint8) * 255, np.ones((8, 8, 3), np.uint8)),
        "large": np.full((1500, 2000, 3), 90, np.uint8),
        "gray": np.full((300, 400), 90, np.uint8),
    }[kind]
    path = tmp_path / "in.jpg"
    Image.fromarray(pixels).save(path, quality=40)
    reasons = IntelligentEnhancer(ModelManager({}, tmp_path)).recommend(path).reasoning
    for reason in reasons:
        said = words_in(language).said(reason)
        assert not set(re.findall(r"[a-z]+", said)) & {
            "the",
            "of",
            "with",
            "would",
            "looks",
            "pixels",
            "tiles",
            "for",
        }, said
