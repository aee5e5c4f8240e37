"""Logging: the console for people, a rotating file for later. Standard output stays free for results."""

from __future__ import annotations

import json
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

_MARK = "_realesrgan_ultimate"
FILE_NAME = "realesrgan.log"
FILE_BYTES, FILE_BACKUPS = 10 * 2**20, 5


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Keys: time (local, to the second), level, logger, message; traceback where there is one."""
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def setup_logging(
    log_dir: Path | None = None, level: str = "INFO", *, as_json: bool = False, console_level: str | None = None
) -> None:
    """Set up the root logger; calling it again replaces what it set up before.

    Args:
        log_dir: folder of ``realesrgan.log`` (10 MB, 5 older ones kept); None = no file. A folder that cannot be
            written costs the file, not the program.
        console_level: least severe level shown on standard error; ``level`` by default.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if getattr(handler, _MARK, False)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(console_level or level)
    console.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handlers: list[logging.Handler] = [console]
    if log_dir is not None:
        try:
            log_dir.mkdir(parents=True, exist_ok=True)
            file = RotatingFileHandler(
                log_dir / FILE_NAME,
                maxBytes=FILE_BYTES,
                backupCount=FILE_BACKUPS,
                encoding="utf-8",
                errors="backslashreplace",  # names of files may be no text
            )
            file.setFormatter(
                JsonFormatter() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
            )
            handlers.append(file)
        except OSError as error:
            console.handle(root.makeRecord(__name__, logging.WARNING, "", 0, f"No log file: {error}", (), None))
    for handler in handlers:
        setattr(handler, _MARK, True)
        root.addHandler(handler)
    logging.captureWarnings(True)
    for noisy in ("PIL", "httpx", "httpcore", "matplotlib", "tifffile"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_tail(log_dir: Path, lines: int = 200) -> str:
    """The last lines of the log file; empty where there is none."""
    try:
        with (log_dir / FILE_NAME).open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - 400 * lines))
            found = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(found[-lines:])
