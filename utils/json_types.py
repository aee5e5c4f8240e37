"""JSON as type checkers see it. The standard library's ``json`` reads ``Any``; this is the one place that says so."""

from typing import Any

JsonValue = Any
"""What ``json`` read, before anybody looked at it."""
JsonObject = dict[str, Any]
"""A JSON object: what was read from a file or a message, or what is going to be written as one."""
