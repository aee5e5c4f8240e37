"""Tests run beside each other, so what waits for another thread sleeps: OpenMP's threads would take the core meanwhile."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read as torch is loaded; whatever the tests start inherits it
