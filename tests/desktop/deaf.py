"""A window whose page never answers, as one that is closed at the moment when it is asked something.

``python tests/desktop/deaf.py FOLDER`` shows it, asks it something, closes it, and says what it does.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEAF = Path(__file__).resolve()


def main() -> None:
    from desktop.reception import Reception, listen
    from desktop.window import AppWindow, find_web_view

    sockets = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    window = AppWindow(address, lambda: False, Path(sys.argv[1]), find_web_view())
    asked = threading.Event()

    def never(*_: object) -> None:
        asked.set()
        threading.Event().wait()

    def deafen() -> None:
        window._window.native.evaluate_js = never
        threading.Thread(target=leave).start()

    def leave() -> None:
        asked.wait()
        print("asked", flush=True)
        window.show("key")
        print("shown", flush=True)
        window.close()

    window._window.events.before_load += deafen
    with Reception(sockets):
        window.run()
    print("closed", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    main()
