"""Leaf helpers: pictures, files, errors. Nothing here imports from ``engine`` or ``ui``."""
