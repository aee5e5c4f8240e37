"""Calibrations of the networks that come with the program; see ``engine.backends.calibration``."""
