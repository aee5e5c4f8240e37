"""The one entry: without arguments the interface opens; ``python main.py --help`` lists the commands."""

from __future__ import annotations

from cli.app import main

if __name__ == "__main__":
    raise SystemExit(main())
