"""What a second start says to the running one: open these, and come to the front."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request

from desktop.guard import Keys, same
from desktop.instance import PATH, TOKEN_HEADER
from ui.inbox import Inbox

_MOST_PATHS = 10_000
_MOST_BYTES = 20_000_000


def router(keys: Keys, inbox: Inbox, bring_up: Callable[[str | None], str | None]) -> APIRouter:
    """The routes of ``desktop.instance``.

    Args:
        bring_up: shows what the inbox holds under a key (None: nothing new) and comes to the front. Returns the address
            that the other one is to open in a browser, or None where that is not needed.
    """
    made = APIRouter(include_in_schema=False)

    @made.get(PATH)
    def prove(challenge: str = "") -> dict[str, str]:
        return {"proof": keys.proof(challenge[:100])}

    @made.post(PATH)
    async def open_paths(
        request: Request, token: Annotated[str, Header(alias=TOKEN_HEADER)] = ""
    ) -> dict[str, str | None]:
        if not same(token, keys.token):
            raise HTTPException(403, "Only who can read this program's token may ask for this.")
        if int(request.headers.get("content-length") or _MOST_BYTES + 1) > _MOST_BYTES:
            raise HTTPException(413, "Too much at once.")
        paths = _paths(await request.json())
        arrived = inbox.put(paths) if paths else None
        return {"address": await asyncio.to_thread(bring_up, arrived)}

    return made


def _paths(content: object) -> list[Path]:
    named = content.get("paths") if isinstance(content, dict) else None
    if not isinstance(named, list) or not all(isinstance(one, str) and "\0" not in one for one in named):
        raise HTTPException(400, "'paths' is a list of file names.")
    if len(named) > _MOST_PATHS:
        raise HTTPException(400, f"No more than {_MOST_PATHS} files at once; name their folder instead.")
    paths = [Path(one) for one in named]
    if not all(path.is_absolute() for path in paths):
        raise HTTPException(400, "Every path is absolute.")
    return paths
