"""Opening the application: in the one that runs already, in a window of its own, or as a server for browsers."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from desktop.address import Address
from desktop.application import Application, application, import_ahead, in_haste
from desktop.behind_window import BehindWindow
from desktop.guard import Keys
from desktop.instance import HandOverError, Instance, running
from desktop.reception import Reception, listen
from desktop.window import AppWindow, NoWebViewError, find_web_view
from desktop.words import NAME, system_language
from ui.inbox import Inbox
from utils.errors import InvalidSettingsError

logger = logging.getLogger(__name__)

_Started = Callable[[Application, contextlib.ExitStack], None]
_NO_ADDRESS = 3
"""Exit code where the address is taken; uvicorn's for a server that cannot start."""
_LOCK = "starting.lock"
_START_SECONDS = 180.0


def open_application(config: Any, paths: Sequence[Path] = (), *, window: bool = False) -> None:
    """Open the application, and files and folders in it; returns when it has ended, or was open already.

    Args:
        config: the application's ``Config``, its folders made.
        paths: absolute; see ``ui.arrivals`` for where each goes.
        window: in a window of its own instead of a browser's; the server is this window's alone then.

    Raises:
        HandOverError: the program that runs did not take them.
        SystemExit: 3: the address is another program's, or not this machine's; the log says so.
    """
    if not paths and not window:
        _serve_plainly(config)
        return
    if config.share:
        raise InvalidSettingsError(
            "REALESRGAN_SHARE opens the interface to others; files and --window are for one here."
        )
    with _Starting(config.data_dir) as starting:
        found = running(config.data_dir)
        if found is None:
            (_open_window if window else _open_in_browser)(config, paths, starting)
            return
    _in_the_running_one(found, paths)


class _Starting:
    """Two starts at a time: the second waits until the first answers, and finds it then."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Released by the server's thread, once it answers.
        self._lock = FileLock(folder / _LOCK, thread_local=False)

    def __enter__(self) -> _Starting:
        try:
            self._lock.acquire(timeout=_START_SECONDS)
        except Timeout as error:
            raise HandOverError(
                "Another start of the program has not come to its end. End it, and try again."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.over()

    def over(self) -> None:
        """From now on others find the running program."""
        self._lock.release()


def _in_the_running_one(found: Instance, paths: Sequence[Path]) -> None:
    address = found.hand_over(paths)
    if address is None:
        print(f"{NAME} is open already.", flush=True)
        return
    print(f"{NAME} runs already, without a window: {found.address}", flush=True)
    _show_in_browser(address)


def _show_in_browser(address: str) -> None:
    """In the person's browser; where none can be started, the address is all that can be given."""
    try:
        shown = webbrowser.open(address)
    except (webbrowser.Error, OSError) as error:
        logger.info("No browser: %s", error)
        shown = False
    if not shown:
        print(f"No browser could be opened. Within two minutes, open this address in one: {address}", flush=True)


@contextlib.contextmanager
def _answered(config: Any) -> Iterator[Reception]:
    """The configured address, where somebody answers from now on."""
    try:
        sockets = listen(config.server_name, config.server_port)
    except OSError as error:
        logger.error("%s", error)
        raise SystemExit(_NO_ADDRESS) from None
    with Reception(sockets) as reception:
        yield reception


def _serve_plainly(config: Any) -> None:
    """At the configured address, for whoever opens it."""
    address = Address(config.server_name, config.server_port, Keys(), guarded=False)
    with _answered(config) as reception:
        print(f"{NAME}: http://{config.server_name}:{config.server_port} (Ctrl-C stops it)", flush=True)

        def started(made: Application, noted: contextlib.ExitStack) -> None:
            # Beside one that runs already this one is not the one that files are handed to. Asked elsewhere: nothing
            # is answered while this is.
            threading.Thread(target=_note, args=(made, noted), name="note-running", daemon=True).start()

        _serve(config, address, Inbox(), reception, started)


def _serve(config: Any, address: Address, inbox: Inbox, reception: Reception, started: _Started) -> None:
    """Make the program while the reception answers, and serve it in its place until it ends."""
    with contextlib.ExitStack() as held:
        with in_haste():
            import_ahead()
            from api.server import make_server

            made = held.enter_context(application(config, address, inbox))
        noted = held.enter_context(contextlib.ExitStack())
        server = make_server(made.asgi, config, lambda: started(made, noted), noted.close, reception.close)
        server.run(reception.sockets)


def _note(made: Application, noted: contextlib.ExitStack) -> None:
    folder = made.config.data_dir
    if running(folder) is None:
        _write(made.instance(window=False), folder, noted)


def _write(instance: Instance, folder: Path, noted: contextlib.ExitStack) -> None:
    try:
        instance.write(folder)
    except OSError as error:
        logger.warning("A second start will not find this one: %s", error)
        return
    noted.callback(instance.remove, folder)


def _open_in_browser(config: Any, paths: Sequence[Path], starting: _Starting) -> None:
    """The server at its configured address, and the browser at its page."""
    address, inbox = Address(config.server_name, config.server_port, Keys(), guarded=False), Inbox()
    with _answered(config) as reception:
        print(f"{NAME}: {address.base} (Ctrl-C stops it)", flush=True)
        _serve_to_browser(config, address, inbox, paths, reception, starting)


def _serve_to_browser(
    config: Any, address: Address, inbox: Inbox, paths: Sequence[Path], reception: Reception, starting: _Starting
) -> None:
    """Open the browser at once, and let others find the program once it is there."""
    shown = address.for_browser(inbox.put(paths) if paths else None)
    threading.Thread(target=_show_in_browser, args=(shown,), name="browser", daemon=True).start()

    def started(made: Application, noted: contextlib.ExitStack) -> None:
        _write(made.instance(window=False), config.data_dir, noted)
        starting.over()

    _serve(config, address, inbox, reception, started)


def _open_window(config: Any, paths: Sequence[Path], starting: _Starting) -> None:
    """A server on a free port that asks for a token, in a window, or in a browser where there is no web view."""
    (listening,) = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    config = config.model_copy(update={"server_name": "127.0.0.1", "server_port": port, "api_hosts": ""})
    address, inbox = Address("127.0.0.1", port, Keys(), guarded=True), Inbox()
    with Reception([listening], address.keys) as reception:
        importing = threading.Thread(target=_import_early, name="import", daemon=True)
        importing.start()  # beside the look for a web view, which takes as long
        try:
            web_view = find_web_view()
        except NoWebViewError as error:
            print(f"{error} {NAME} opens in the browser instead: {address.base} (Ctrl-C stops it)", file=sys.stderr)
            _serve_to_browser(config, address, inbox, paths, reception, starting)
            return
        reception.language = system_language()
        key = inbox.put(paths) if paths else None
        with BehindWindow(config, address, inbox, reception) as behind:
            window = AppWindow(address.for_window(key), behind.busy, config.data_dir / "window", web_view)

            def started(made: Application, noted: contextlib.ExitStack) -> None:
                def bring_up(key: str | None) -> None:
                    window.show(key)

                made.bring_up = bring_up
                _write(made.instance(window=True), config.data_dir, noted)
                starting.over()

            behind.begin(started, window.close)
            window.run()


def _import_early() -> None:
    """What goes wrong goes wrong again where it can be said."""
    with in_haste(), contextlib.suppress(Exception):
        import_ahead()


__all__ = ["open_application"]
