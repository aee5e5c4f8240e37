"""Where the program is reached, and what lets a person in. Known before there is a program."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.guard import Keys
from ui.inbox import ADDRESS_KEY


@dataclass(frozen=True)
class Address:
    """One server's.

    Attributes:
        host, port: what it listens on.
        guarded: whether the page asks for the token.
    """

    host: str
    port: int
    keys: Keys
    guarded: bool

    @property
    def base(self) -> str:
        """Where this machine reaches it, without a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # all  # nosec B104
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{self.port}"

    def for_browser(self, key: str | None = None) -> str:
        """The page's address for a browser: with a ticket where one is asked for, and with what is to be opened."""
        wanted = [f"ticket={self.keys.ticket()}"] if self.guarded else []
        wanted += [f"{ADDRESS_KEY}={key}"] if key else []
        return f"{self.base}/" + (f"?{'&'.join(wanted)}" if wanted else "")

    def for_window(self, key: str | None = None) -> str:
        """For the window of this process, where nobody else can read it: with the token."""
        return f"{self.base}/?token={self.keys.token}" + (f"&{ADDRESS_KEY}={key}" if key else "")


__all__ = ["Address"]
