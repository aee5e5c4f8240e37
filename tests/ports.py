"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket

_BELOW_ALL_PASSING_ONES = (15_000, 32_000)
"""No system takes these for connections that ask for any port, so nobody takes one between its choice and its use."""


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens. Another one in every process, however random numbers are seeded."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(*_BELOW_ALL_PASSING_ONES)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
