"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import platform
import re
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.errors import OutputError

_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
_TEMPORARY = re.compile(rf"\.{_MACHINE}-(\d+)-[0-9a-f]+\.part")


def temporary_for(target: Path) -> Path:
    """A hidden name beside the target that tells whose it is: machine, process, and a random part."""
    return target.parent / f".{_MACHINE}-{os.getpid()}-{secrets.token_hex(6)}.part"


def sweep_temporaries(folder: Path) -> int:
    """Delete what processes of this machine that no longer run left in a folder; returns how many files."""
    import psutil

    swept = 0
    with suppress(OSError):
        for path in folder.iterdir():
            name = _TEMPORARY.fullmatch(path.name)
            if name is not None and not psutil.pid_exists(int(name[1])):
                with suppress(OSError):
                    path.unlink()
                    swept += 1
    return swept


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A temporary path on the target's disk, to be written; it takes the target's name when the block ends well.

    Raises:
        OutputError: something cannot be written; the target is as it was.
    """
    temporary = temporary_for(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"Cannot write '{target}': {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


__all__ = ["replaced", "sweep_temporaries", "temporary_for"]
