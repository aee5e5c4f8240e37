"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.errors import OutputError


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A temporary path on the target's disk, to be written; it takes the target's name when the block ends well.

    Raises:
        OutputError: something cannot be written; the target is as it was.
    """
    temporary = target.parent / f".{secrets.token_hex(6)}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"Cannot write '{target}': {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


__all__ = ["replaced"]
