"""What a film's lines show: whether they belong to two moments, which of the two comes first, and pulled-down cinema.

**Telecine** (3:2 pulldown) spreads four frames of cinema, 23.976 a second, over five of television, 29.97: of five in a
row two are woven from neighbours, always the same two. Interlaced frames are all woven, as far as anything moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from engine.video.options import VideoOptions
from engine.video.reader import FrameReader
from utils.errors import EmptyVideoError
from utils.metrics import luma
from utils.video_files import VideoInfo

PULLDOWN_CYCLE = 5
_PLACES = (0.2, 0.5, 0.8)
_LOOKED_AT = 5
_CYCLES = 3
_TOOTH = 2.0
"""Levels of luma (16..235) by which a line stands out from both its neighbours where it is a tooth of a comb."""
_BLOCK = 16
"""Pixels a side of the blocks that are judged one by one: what moves is often a small part of a frame."""
_COMBED_BLOCK = 1.0
"""Levels that the teeth of two weaves have together, on a block's average pixel, where something moves in it."""
_LEAST_TEETH = 16 * _COMBED_BLOCK * _BLOCK**2
"""Heights of teeth, of either kind, that are enough to tell anything."""
_LEAST_KIND = 0.2
"""Part of all teeth that are of the rarer kind at least."""
_MOST_COLUMNS = 1024
"""Wider frames are judged by some of their columns, each of which has its own combs."""
_AVERAGED = 8
"""Columns that are averaged for quick motion: in it fine details are as unlike after one field as after three."""
_ONE_SIDED = 0.22
"""Part of two weaves' teeth by which they differ where one joins nearer moments than the other does."""
_AGREED = 0.65
"""Part of the blocks where something moves that speak for the same order; of whole frames half do."""
_OWN = 0.02
_OWN_ALONE = 0.2
"""Parts of the further weave's teeth that frames of two moments have by themselves at least; whole ones have a
thousandth. The second is for telecine, of which the nearer weave joins lines of one moment, and for things that move
in a small part of a frame: in so few blocks stripes that move up or down by even steps leave a tenth."""
_SPREAD = 0.15
"""From this part of all blocks on, having teeth, the first is enough."""
_MOST_OWN = 1.5
"""Parts of the nearer weave's teeth that frames have at most, which join lines as far apart as it does."""
_LEAST_VOTES = 2
_LEAST_MOTION = 0.3
"""Mean difference in luma of lines that move."""
_REPEATED = 0.5
"""Lines repeat those of the frame before where they differ from them by less than this part of what the others do."""
_MOST_SIDE = 720
"""Sides that are looked at for telecine: the middle of large frames says enough."""


@dataclass(frozen=True)
class _Combs:
    """Heights of teeth, added up, in two frames in a row.

    Attributes:
        own: in one of the frames as it is, the more combed one.
        upper, lower: in a frame of the following one's upper (lower) lines and the other lines of the one before.
        agreed: part of the blocks that differ in the same sense between ``upper`` and ``lower``.
        spread: part of all blocks that have teeth enough to be judged.
    """

    own: float
    upper: float
    lower: float
    agreed: float
    spread: float

    @property
    def vote(self) -> int | None:
        """1 for frames of two moments whose upper lines come first, -1 for lower ones, 0 for whole frames.

        None where it cannot be told: in noise and in fine patterns all three are alike.
        """
        less, more = sorted((self.upper, self.lower))
        if self.own < 0.5 * less:
            return 0
        as_near = self.spread >= _SPREAD and _OWN * more <= self.own <= _MOST_OWN * less
        woven = as_near or self.own >= _OWN_ALONE * more
        if not woven or self.agreed < _AGREED or more - less < _ONE_SIDED * (more + less):
            return None
        return 1 if self.upper < self.lower else -1


def is_interlaced(windows: Iterable[Iterable[np.ndarray]]) -> bool:
    """Whether a film's lines belong to two moments, by frames in a row from several places.

    Where something moves, lines of two moments make a comb. Whole frames have none; woven with each other's lines they
    get as many either way, since both join moments a frame apart. Of frames of two moments one weave joins lines half
    a frame apart, as they are joined in the frames themselves, and the other those of one and a half.

    ``(H, W, 3) uint8 | uint16`` each. What stands still tells nothing; of what moves a third has to speak for two
    moments, as the woven frames of telecine do, and hardly anything for the other order of lines: fine patterns that
    move up or down speak for both in turns.
    """
    votes = [
        next((combs.vote for combs in pair if combs.vote is not None), None)
        for window in windows
        for pair in _pairs(window)
    ]
    ahead, behind = sorted((votes.count(1), votes.count(-1)), reverse=True)
    told = ahead + behind + votes.count(0)
    return ahead >= max(_LEAST_VOTES, told / 3, 4 * behind)


def _pairs(window: Iterable[np.ndarray]) -> Iterator[list[_Combs]]:
    """Of every two frames in a row, as they are and with columns averaged; nothing where hardly anything moves."""
    fine = [_luma(frame[:, :: -(-frame.shape[1] // _MOST_COLUMNS)]) for frame in window]
    scales = [[(plane, _teeth(plane)) for plane in planes] for planes in (fine, [_averaged(plane) for plane in fine])]
    for pairs in zip(*map(pairwise, scales), strict=True):
        yield [combs for pair in pairs if (combs := _combs(*pair)) is not None]


def _combs(one: tuple[np.ndarray, np.ndarray], next_one: tuple[np.ndarray, np.ndarray]) -> _Combs | None:
    """Of two planes in a row, each with its own teeth, in the blocks where something moves."""
    (before, own), (after, next_own) = one, next_one
    upper, lower = _teeth(_woven(after, before)), _teeth(_woven(before, after))
    moving = (upper + lower).sum(0) > _COMBED_BLOCK * _BLOCK**2
    kinds = [teeth[:, moving].sum(1) for teeth in (own, next_own, upper, lower)]
    most = max(kinds[2:], key=np.min)
    if most.min() < max(_LEAST_TEETH, _LEAST_KIND * most.sum()):
        return None
    apart = (upper - lower).sum(0)[moving]
    of = [float(kind.min()) for kind in kinds]
    agreed = max((apart > 0).mean(), (apart < 0).mean())
    return _Combs(max(of[:2]), of[2], of[3], float(agreed), float(moving.mean()))


def _averaged(plane: np.ndarray) -> np.ndarray:
    columns = plane.shape[1] // _AVERAGED
    return plane[:, : columns * _AVERAGED].reshape(plane.shape[0], columns, _AVERAGED).mean(axis=2)


def _teeth(plane: np.ndarray) -> np.ndarray:
    """Heights of teeth added up by blocks, ``(2, rows, columns)``: upper lines lighter, lower lines lighter.

    A tooth is unlike the lines above and below, which are alike, and like the lines beyond. What moves has combs of
    both kinds, before and behind it; lines that are only drawn darker, as a screen's, have one.
    """
    up, here, down = plane[1:-3], plane[2:-2], plane[3:-1]
    above, below = here - up, here - down
    height = np.minimum(np.abs(above), np.abs(below))
    most = 0.5 * height
    teeth = (height > _TOOTH) & (above * below > 0)
    for one, other in ((up, down), (here, plane[:-4]), (here, plane[4:])):
        teeth &= np.abs(one - other) < most
    signed = np.where(teeth, np.copysign(height, above), 0)
    signed[1::2] *= -1
    rows, columns = (side // _BLOCK for side in signed.shape)
    blocks = signed[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.stack([np.maximum(blocks, 0).sum((1, 3)), np.maximum(-blocks, 0).sum((1, 3))])


def _luma(frame: np.ndarray) -> np.ndarray:
    return luma((frame >> 8).astype(np.uint8) if frame.dtype == np.uint16 else frame).astype(np.float32)


def is_telecined(windows: Iterable[Sequence[np.ndarray]]) -> bool:
    """Whether frames in a row, from several places, show the pattern of 3:2 pulldown.

    In every cycle of five one frame repeats the upper lines of the one before and not its lower ones, and two frames
    on, or three, one repeats the lower lines alone. Neither interlaced nor whole frames do so, repeated ones included.
    Places where hardly anything moves say nothing; of the others at least half have to show it.
    """
    told = [answer for window in windows if (answer := _pulled_down(window)) is not None]
    return bool(told) and sum(told) * 2 >= len(told)


def _pulled_down(window: Sequence[np.ndarray]) -> bool | None:
    """None where too little moves to tell."""
    planes = [_luma(frame) for frame in window]
    upper, lower = [], []  # the frames that repeat these lines alone
    moving = 0
    for number, (before, here) in enumerate(pairwise(planes)):
        moved = np.abs(here - before)
        top, bottom = float(moved[::2].mean()), float(moved[1::2].mean())
        if max(top, bottom) < _LEAST_MOTION:
            continue
        moving += 1
        if top < _REPEATED * bottom:
            upper.append(number % PULLDOWN_CYCLE)
        elif bottom < _REPEATED * top:
            lower.append(number % PULLDOWN_CYCLE)
    if len(upper + lower) < 3:
        return False if moving >= 2 * PULLDOWN_CYCLE else None
    one_phase = len(set(upper)) == 1 == len(set(lower))
    return one_phase and (upper[0] - lower[0]) % PULLDOWN_CYCLE in (2, 3)


def upper_lines_first(windows: Iterable[Sequence[np.ndarray]]) -> bool:
    """Whether of two moments in a frame the upper lines' one comes first.

    Then the lower lines lie between this frame's upper ones and the next frame's, and woven with the latter they show
    smaller combs than the upper lines do with the next frame's lower ones. Upper is also what nothing speaks against.
    """
    found = [combs for window in windows for pair in _pairs(window) for combs in pair]
    return sum(combs.upper for combs in found) <= sum(combs.lower for combs in found)


def _woven(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    frame = upper.copy()
    frame[1::2] = lower[1::2]
    return frame


def some_frames(info: VideoInfo, options: VideoOptions) -> Iterator[Iterator[np.ndarray]]:
    """A few frames in a row from three places."""
    return _windows(info, options, _LOOKED_AT)


def some_cycles(info: VideoInfo, options: VideoOptions) -> Iterator[list[np.ndarray]]:
    """Three cycles of pulldown in a row from three places, of large frames the middle."""
    for window in _windows(info, options, _CYCLES * PULLDOWN_CYCLE):
        yield [_middle(frame) for frame in window]


def _windows(info: VideoInfo, options: VideoOptions, count: int) -> Iterator[Iterator[np.ndarray]]:
    start = options.start or 0.0
    end = min(options.end or info.duration or start, info.duration or start)
    for place in _PLACES:
        yield _few(info, start + (end - start) * place, count)


def _few(info: VideoInfo, seconds: float, count: int) -> Iterator[np.ndarray]:
    with suppress(EmptyVideoError):  # the last frame of a short film may begin before that place
        for frame in islice(FrameReader(info, seconds).frames(), count):
            yield frame.pixels


def _middle(frame: np.ndarray) -> np.ndarray:
    """At most ``_MOST_SIDE`` a side, beginning with a line of the upper field."""
    top, left = (max(0, (side - _MOST_SIDE) // 2) // 2 * 2 for side in frame.shape[:2])
    return frame[top : top + _MOST_SIDE, left : left + _MOST_SIDE].copy()


__all__ = [
    "PULLDOWN_CYCLE",
    "is_interlaced",
    "is_telecined",
    "some_cycles",
    "some_frames",
    "upper_lines_first",
]
