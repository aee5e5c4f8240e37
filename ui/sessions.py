"""What belongs to one browser window: its running job and its folder. Windows never see each other's pictures."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from engine.types import JobControl


@dataclass
class Session:
    """One browser window."""

    folder: Path
    control: JobControl = field(default_factory=JobControl)


class Sessions:
    """All browser windows of this server, by Gradio's session hash."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def of(self, session_hash: str | None) -> Session:
        """The window's session; made at the first call. Its folder's name cannot be guessed from outside."""
        with self._lock:
            key = session_hash or ""
            if key not in self._sessions:
                self._sessions[key] = Session(self._root / f"session-{secrets.token_urlsafe(9)}")
            return self._sessions[key]

    def begin(self, session_hash: str | None) -> Session:
        """A fresh control for a new job of this window."""
        session = self.of(session_hash)
        session.control = JobControl()
        return session

    def cancel(self, session_hash: str | None) -> None:
        self.of(session_hash).control.cancel()
