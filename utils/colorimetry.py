"""Colours by their primaries: matrices from one set of red, green, blue and white to another."""

from __future__ import annotations

import numpy as np

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""CIE x and y of red, green, blue and white."""
D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
REC_709: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *D65)
_BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array((x / y, 1.0, (1 - x - y) / y))


def to_xyz(primaries: Chromaticities, white: tuple[float, float] | None = None) -> np.ndarray:
    """``(3, 3)``: linear RGB to XYZ, with white at Y = 1; with ``white``, adapted to that one (Bradford).

    Raises:
        numpy.linalg.LinAlgError: the primaries lie on one line.
    """
    corners = np.stack([_xyz(*primaries[place : place + 2]) for place in (0, 2, 4)], axis=1)
    own = _xyz(*primaries[6:])
    matrix = corners * np.linalg.solve(corners, own)
    if white is None:
        return matrix
    scale = (_BRADFORD @ _xyz(*white)) / (_BRADFORD @ own)
    adapted: np.ndarray = np.linalg.solve(_BRADFORD, scale[:, None] * _BRADFORD) @ matrix
    return adapted


def between(source: Chromaticities, target: Chromaticities) -> np.ndarray:
    """``(3, 3)``: linear RGB of one set of primaries to another's, white to white. Raises as ``to_xyz``."""
    result: np.ndarray = np.linalg.solve(to_xyz(target, D50), to_xyz(source, D50))
    return result
