"""OpenVINO without its telemetry: ``from utils.openvino import openvino``, never ``import openvino``.

Its converter reports every conversion to a server of its makers, from a process that it forks off, unless the person
has opted out in a file of the home folder. This program tells nobody what it does. Without the package that reports,
the converter uses a stub of its own that does nothing.
"""

import sys

if "openvino_telemetry" not in sys.modules:
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # importing it now fails, as if not installed

import openvino

# Its table of numpy types is made at the first call, under a C++ lock, by code that gives Python's own lock away: two
# threads whose first windows meet there wait for each other for ever. Importing is something only one thread does.
openvino.Type.f32.to_dtype()

__all__ = ["openvino"]
