"""The interface and the REST API on one server with one set of workers, and the ways to it that others on this machine
use."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from desktop.address import Address
from desktop.guard import InLanguage, TokenGuard
from desktop.instance import PATH, Instance
from ui.inbox import Inbox

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.executors import Executor
    from ui.visitors import Visitors

_HEAVY = ("api.app", "api.server", "desktop.handover", "engine.executors", "engine.model_manager", "ui.app")
_END_SECONDS = 30.0
"""For films to keep what is done, when a person closes the window on them."""


@dataclass
class Application:
    """What is served, before and while it is.

    Attributes:
        bring_up: shows what waits under a key, comes to the front; as ``desktop.handover.router`` takes it.
    """

    config: Any
    asgi: FastAPI
    executor: Executor
    visitors: Visitors
    inbox: Inbox
    address: Address
    bring_up: Callable[[str | None], str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.bring_up = self.address.for_browser

    def speak(self, language: str) -> None:
        """Answer in that language, whatever a request asks for: web views ask for none. Before it is served."""
        self.asgi.add_middleware(InLanguage, language=language)

    def instance(self, window: bool) -> Instance:
        """How a second start finds it."""
        return Instance(self.address.base, self.address.keys.token, window, os.getpid())

    def busy(self) -> bool:
        """Whether something runs or waits, from the page or through the API."""
        from ui.activity import busy

        stats = self.executor.stats()
        return busy(self.visitors) or bool(stats.running or stats.queued)

    def end_jobs(self) -> None:
        """Cancel what the page began, and let it end well."""
        from ui.activity import end_all

        end_all(self.visitors, _END_SECONDS)


@contextmanager
def in_haste() -> Iterator[None]:
    """Look for no garbage meanwhile, and never again among what is there at the end.

    While modules are imported and the interface is made hardly anything becomes garbage, and looking for it takes a
    fifth of the time.
    """
    looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked_for:
            gc.freeze()
            gc.enable()


def import_ahead() -> None:
    """Import what ``application`` needs, which is most of a start's time; in whatever thread."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    for name in _HEAVY:
        import_module(name)


@contextmanager
def application(config: Any, address: Address, inbox: Inbox) -> Iterator[Application]:
    """Make it from the settings; what it holds is closed at the end.

    Args:
        inbox: what is to be opened in it, now and later.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from api.app import create_app
    from desktop.handover import router
    from engine.executors import create_executor
    from engine.jobs.job_list import JobList
    from engine.model_manager import ModelManager
    from engine.models.isolated import inspect_isolated
    from ui.app import mount
    from ui.visitors import Visitors

    manager = ModelManager.from_config(config, inspect=inspect_isolated)
    executor = create_executor(config, manager=manager)
    try:
        job_list = JobList()
        visitors = Visitors(config.output_dir, job_list=job_list)
        asgi = create_app(config, executor, close_executor=True, job_list=job_list)
        made = Application(config, asgi, executor, visitors, inbox, address)
        asgi.include_router(router(address.keys, inbox, lambda key: made.bring_up(key)))
        mount(asgi, config, manager, executor.enhance_file, executor, job_list, visitors, inbox)
        if address.guarded:
            asgi.add_middleware(TokenGuard, keys=address.keys, unguarded=frozenset((PATH,)))
        yield made
    finally:
        executor.close()  # the second time where the API had it
        manager.close()


__all__ = ["Application", "application", "import_ahead", "in_haste"]
