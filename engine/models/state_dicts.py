"""What stands in the state dicts of known architectures: other names for the same weights, branches that are merged."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]
"""A state dict: key -> float32 array."""

_OLDER_NAMES = (
    (r"model\.0\.", "conv_first."),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"model\.1\.sub\.\d+\.(?=weight|bias)", "conv_body."),
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)\.", r"body.\1.rdb\2.conv\3."),
    (r"trunk_conv\.", "conv_body."),
    (r"upconv(\d)\.", r"conv_up\1."),
    (r"HRconv\.", "conv_hr."),
)
"""The names that ESRGAN and its kin used before Real-ESRGAN's; what they mean is the same."""


def official_names(arrays: Arrays) -> dict[str, np.ndarray]:
    """RRDBNet's weights under the names of Real-ESRGAN, whichever of the three known ways they were named before."""
    renamed = {}
    for key, value in arrays.items():
        for pattern, name in _OLDER_NAMES:
            new = re.sub(f"^{pattern}", name, key)
            if new != key:
                key = new
                break
        renamed[key] = value
    # What follows the blocks is numbered there: three places for each doubling, then the last two convolutions.
    numbers = sorted({int(key.split(".")[1]) for key in renamed if re.match(r"model\.\d+\.", key)})
    ends = [*(f"conv_up{index + 1}" for index in range(len(numbers) - 2)), "conv_hr", "conv_last"]
    places = dict(zip(numbers, ends, strict=True)) if numbers else {}
    tail = re.compile(r"model\.(\d+)\.(weight|bias)")
    return {
        f"{places[int(found[1])]}.{found[2]}" if (found := tail.fullmatch(key)) else key: value
        for key, value in renamed.items()
    }


def merged_convolution(arrays: Arrays, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The one 3 x 3 convolution that SPAN's block ``name`` (1x1, 3x3, 1x1 and a 1x1 beside them) amounts to.

    Returns ``(out, in, 3, 3)`` weights and ``(out,)`` biases, float32, computed in double precision, as the published
    code merges them once the network is trained.
    """
    w1, w2, w3 = (np.asarray(arrays[f"{name}.conv.{index}.weight"], np.float64) for index in range(3))
    b1, b2, b3 = (np.asarray(arrays[f"{name}.conv.{index}.bias"], np.float64) for index in range(3))
    through = np.einsum("omyx,mi->oiyx", w2, w1[:, :, 0, 0], optimize=True)
    weight = np.einsum("po,oiyx->piyx", w3[:, :, 0, 0], through, optimize=True)
    weight[:, :, 1, 1] += np.asarray(arrays[f"{name}.sk.weight"], np.float64)[:, :, 0, 0]
    bias = w3[:, :, 0, 0] @ (np.einsum("omyx,m->o", w2, b1) + b2) + b3 + np.asarray(arrays[f"{name}.sk.bias"])
    return weight.astype(np.float32), bias.astype(np.float32)
