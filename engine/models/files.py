"""A model's files on disk: one checkpoint, or an ncnn pair, named by its ``.param``, with the ``.bin`` beside it.

Everything here takes the path that names the model.
"""

from __future__ import annotations

from pathlib import Path

from engine.models.wheels import pair_digest
from utils.files import sha256_of

PAIR_SUFFIX = ".param"


def is_pair(path: Path) -> bool:
    """Whether the path names an ncnn pair."""
    return path.suffix.lower() == PAIR_SUFFIX


def files_of(path: Path) -> tuple[Path, ...]:
    """All files of the model: itself, and of a pair the weights."""
    return (path, path.with_suffix(".bin")) if is_pair(path) else (path,)


def is_there(path: Path) -> bool:
    """Whether all files of the model exist."""
    return all(file.is_file() for file in files_of(path))


def size_of(path: Path) -> int:
    """Bytes of all files; of a pair without its weights those of the graph."""
    return sum(file.stat().st_size for file in files_of(path) if file.is_file())


def digest_of(path: Path) -> str:
    """SHA-256, hexadecimal: of the file, or what ``pair_digest`` makes of both. Raises ``OSError``."""
    digests = [sha256_of(file) for file in files_of(path)]
    return digests[0] if len(digests) == 1 else pair_digest(*digests)


def stamp_of(path: Path) -> str:
    """Changes when a file of the model is replaced or written to: what is remembered of a model is kept under it."""
    facts = [file.stat() for file in files_of(path) if file.is_file()]
    stamps = (f"{one.st_size}|{one.st_mtime_ns}|{one.st_ctime_ns}|{one.st_ino}" for one in facts)
    return "|".join((str(path.resolve()), *stamps))
