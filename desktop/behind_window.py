"""The program behind its window: made and served in a thread, for the main one is the window's from the beginning."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from desktop.address import Address
from desktop.application import application, import_ahead, in_haste
from desktop.instance import HandOverError
from desktop.reception import Reception
from desktop.words import system_language
from ui.inbox import Inbox

if TYPE_CHECKING:
    from api.server import GracefulServer
    from desktop.application import Application


class BehindWindow:
    """A context manager around the window's life: at its end the program's jobs are ended, and then it.

    Args:
        reception: answers at the program's address meanwhile.

    Raises:
        HandOverError: at the end of the block: the program could not be served; the log has the details. Whatever else
            stopped it is raised there as it is.
    """

    def __init__(self, config: Any, address: Address, inbox: Inbox, reception: Reception) -> None:
        self._config, self._address, self._inbox, self._reception = config, address, inbox, reception
        self._leaving = threading.Event()
        self._made: Application | None = None
        self._server: GracefulServer | None = None
        self._noted = contextlib.ExitStack()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def busy(self) -> bool:
        """Whether something runs that the end of the window would end; nothing does in a program that only starts."""
        return self._made is not None and self._made.busy()

    def begin(self, started: Callable[[Application, contextlib.ExitStack], None], failed: Callable[[], None]) -> None:
        """Make the program and serve it.

        Args:
            started: called once it answers, with what is to be closed when it ends; quick.
            failed: called where it comes to nothing; it closes the window.
        """
        self._thread = threading.Thread(target=self._run, args=(started, failed), name="server")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._leaving.set()
        self._noted.close()
        if self._made is not None:
            self._made.end_jobs()
        if self._server is not None:
            self._server.end()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None and kind is None:
            if isinstance(self._error, Exception):
                raise self._error
            raise HandOverError("The server of the window did not start; the log has the details.")

    def _run(self, started: Callable[[Application, contextlib.ExitStack], None], failed: Callable[[], None]) -> None:
        try:
            with contextlib.ExitStack() as held:
                with in_haste():
                    import_ahead()
                    made = held.enter_context(application(self._config, self._address, self._inbox))
                self._serve(made, lambda: started(made, self._noted))
        except BaseException as error:
            self._error = error
            failed()

    def _serve(self, made: Application, started: Callable[[], None]) -> None:
        from api.server import make_server

        made.speak(system_language())
        server = make_server(made.asgi, self._config, started, taking_over=self._reception.close)
        self._made, self._server = made, server
        if not self._leaving.is_set():  # a window that is closed from now on finds what it has to end
            server.run(self._reception.sockets)


__all__ = ["BehindWindow"]
