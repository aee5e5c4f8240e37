"""A configuration that brings the gate: a worker process that is handed one imports this module, and is behind it."""

from __future__ import annotations

import multiprocessing
import sys

from config import Config
from tests import gate

if multiprocessing.parent_process() is not None or "_pytest" not in sys.modules:  # not in the tests' own process
    gate.install()


class GatedConfig(Config):
    """As ``Config``."""
