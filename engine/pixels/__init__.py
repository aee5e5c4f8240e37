"""Arithmetic on pixels that no model decides: tiles and blending, colour matching, resampling, sizes, flat borders.

Imports ``engine.types`` and ``utils`` alone.
"""
