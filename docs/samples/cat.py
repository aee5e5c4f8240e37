"""The drawing among the samples: a cat on a windowsill at dusk, 360 x 270, inked and cel-shaded."""

from __future__ import annotations

import numpy as np
from PIL import Image

from docs.samples import scenery
from docs.samples.ink import INK, SHADE, Point, Sheet, bent, disc, smooth, square

FUR, STRIPE, WHITE = (244, 168, 92), (200, 104, 56), (255, 244, 228)
HEAD = (190.0, 98.0)
_FOOT = ((2, 205), (1, 222), (3, 231), (14, 233.5), (25, 231), (26.5, 222), (22, 204))
"""The outline of a forepaw, from its outer side to its inner one, between the leg's two ends."""


def mirrored(half: list[Point], middle: float = 190) -> list[Point]:
    """Half an outline from the top to the bottom, and the other half back up."""
    return half + [(2 * middle - x, y, *corner) for x, y, *corner in reversed(half)]


def head_outline() -> np.ndarray:
    """With ears and the hair of the cheeks, a little tilted."""
    half: list[Point] = [
        (190, 62),
        (206, 63.5, 1),
        (214, 48),
        (234, 31, 1),
        (240, 54),
        (237, 77, 1),
        (240, 90),
        (246, 103, 1),
    ]
    half += [(239, 104.5, 1), (244.5, 113, 1), (236, 113.5, 1), (239, 121.5, 1), (228, 121), (212, 128.5), (190, 132)]
    return smooth(bent(mirrored(half)[:-1], 4, HEAD), step=8)


def tilted(points: list[Point], closed: bool = False, step: int = 8) -> np.ndarray:
    """A line of the face, tilted like the head."""
    return smooth(bent(points, 4, HEAD), closed, step)


def eye(sheet: Sheet, side: int) -> None:
    """Large and round, with two lights in it; ``side`` -1 is the left one."""
    x, y = 190 + side * 22.5, 98.0

    def at(*points: Point) -> list[Point]:
        return [(x + side * across, y + down, *corner) for across, down, *corner in points]

    opening = tilted(
        at((-11.5, 4, 1), (-8, -6), (1, -11.5), (10, -8), (14, -3.5, 1), (11, 6), (3, 11), (-6, 9.5)), True
    )
    sheet.fill(opening, (250, 250, 240))
    whole = sheet.mask(opening)
    sheet.clip = whole
    cx, cy = bent([(x + 0.6, y - 0.2)], 4, HEAD)[0]
    sheet.fill(disc(cx, cy, 10.4, 11.4), (26, 74, 74))
    sheet.fill(disc(cx, cy + 0.6, 9.2, 10.2), (56, 148, 112))
    sheet.fill(disc(cx, cy + 4.2, 7.6, 6.6), (132, 208, 118))
    sheet.fill(disc(cx, cy + 6.6, 5.2, 3.4), (206, 242, 150))
    for angle in np.linspace(0.3, np.pi - 0.3, 9):
        ray = np.array([(cx + r * np.cos(angle), cy + r * np.sin(angle)) for r in (5.0, 8.6)])
        sheet.line(ray, 0.6, (34, 104, 84), (0.9, 0.2))
    sheet.fill(disc(cx, cy + 0.3, 4.3, 7.4), (24, 16, 34))
    sheet.crescent(whole, (0, 4), (120, 104, 168), "multiply")
    sheet.fill(disc(cx + 3.2, cy - 4.6, 3.3, 3.9), (255, 255, 255))
    sheet.fill(disc(cx - 3.8, cy + 5.0, 1.7, 1.9), (255, 255, 255))
    sheet.clip = None
    sheet.line(tilted(at((-13, 6), (-8.5, -6.5), (1, -12), (10.5, -8.6), (17, -5.5))), 3.1, INK, (0.2, 0.12))
    sheet.line(tilted(at((13.5, -2), (11, 6), (3, 11.3), (-6, 9.8), (-11, 5))), 1.2, INK)
    sheet.line(tilted(at((-6, -14), (2, -16), (10, -13))), 1.0, STRIPE)


def face(sheet: Sheet) -> None:
    """Ears' insides, markings, eyes, nose, mouth, whiskers."""
    head = head_outline()
    whole = sheet.mask(head)
    sheet.lay(whole, FUR)
    sheet.clip = whole
    muzzle: list[Point] = [(190, 92), (197, 103), (212, 108), (222, 118), (214, 130), (190, 136)]
    sheet.fill(tilted(mirrored(muzzle)[:-1], True), WHITE)
    for side in (-1, 1):
        for marks in (
            [(0, 58), (3.2, 66), (2.4, 80), (0, 86)],
            [(9, 60), (13, 70), (11, 80), (8, 72)],
            [(52, 86), (42, 91), (36, 90.5), (43, 87.5)],
            [(54, 97), (44, 99.5), (39, 98.5), (46, 95.6)],
            [(52, 107), (45, 107), (40, 105), (46, 103.4)],
        ):
            sheet.fill(tilted([(190 + side * x, y) for x, y in marks], True), STRIPE)
        inner: list[Point] = [(209, 64, 1), (217, 52), (231, 38, 1), (235, 55), (232, 73, 1), (222, 70)]
        placed = [(190 + side * (x - 190), y, *c) for x, y, *c in inner]
        sheet.fill(tilted(placed, True), (238, 140, 132))
        sheet.fill(
            tilted([(190 + side * x, y, *c) for x, y, *c in [(39, 40, 1), (45, 54), (43, 72, 1), (38, 60)]], True),
            (196, 92, 104),
        )
        for start, tip in (((20, 66), (31, 50)), ((24, 70), (37, 56)), ((30, 73), (40, 62))):
            tuft = [
                (190 + side * start[0], start[1], 1),
                (190 + side * tip[0], tip[1], 1),
                (190 + side * (start[0] + 7), start[1] + 4, 1),
            ]
            sheet.fill(tilted(tuft, True), WHITE)
    sheet.crescent(whole, (8, -3.5), SHADE)
    sheet.crescent(whole, (-2.4, 1.2), (255, 232, 190), "over")
    sheet.clip = None
    sheet.outline(head, 2.1, INK)
    for side in (-1, 1):
        eye(sheet, side)
    nose = tilted([(185, 110, 1), (190, 109), (195, 110, 1), (193, 114), (190, 116, 1), (187, 114)], True)
    sheet.fill(nose, (226, 112, 112))
    sheet.fill(tilted([(186.5, 110.4), (190, 109.6), (193.5, 110.4), (190, 111.6)], True), (250, 170, 160))
    sheet.outline(nose, 1.1, INK)
    sheet.line(tilted([(190, 116), (190, 119.5)]), 1.3, INK, (0.8, 0.8))
    for side in (-1, 1):
        sheet.line(
            tilted([(190, 119.5), (190 + side * 5, 123), (190 + side * 11, 121.5), (190 + side * 14, 117.5)]), 1.6, INK
        )
        for dy, rise in ((0, -5), (3.6, 0.5), (7, 6)):
            hair = [
                (190 + side * 20, 113 + dy),
                (190 + side * 44, 110 + dy + rise * 0.4),
                (190 + side * 70, 112 + dy + rise * 1.5),
            ]
            sheet.line(tilted(hair), 1.3, (255, 250, 240), (0.7, 0.1))
        for dx, dy in ((13, 113), (17, 116.5), (12.5, 117)):
            sheet.fill(disc(*bent([(190 + side * dx, dy)], 4, HEAD)[0], 0.75), STRIPE)
    for x in (162, 219):
        for step in range(3):
            sheet.line(
                np.array([(x + 3.4 * step, 118.0), (x + 3.4 * step - 2, 122.0)]) - (0, (x - 190) * -0.07),
                1.1,
                (232, 120, 104),
            )


def body(sheet: Sheet) -> None:
    """Sitting, seen from the front, its tail around its feet; a shadow on the sill."""
    sheet.fill(
        smooth([(118, 232), (150, 226), (236, 226), (262, 231), (200, 236), (140, 237)]), (150, 100, 120), "multiply"
    )
    tail = smooth([(226, 212), (250, 222), (274, 221), (287, 208), (284, 192), (274, 187)], False, 12)
    outside, inside = _thick(tail, 7.5, 5.4), _thick(tail, 6.2, 4.2)
    sheet.fill(outside, INK)
    sheet.fill(inside, FUR)
    sheet.clip = sheet.mask(inside)
    for t in (20, 29, 38, 46):
        x, y = tail[t]
        sheet.fill(smooth([(x - 3, y - 10), (x + 2.4, y - 9), (x + 3.4, y + 9), (x - 1.6, y + 10)]), STRIPE)
    sheet.fill(disc(*tail[-1], 7.5), WHITE)
    sheet.crescent(sheet.clip, (1.5, -4.2), SHADE)
    sheet.clip = None
    half: list[Point] = [(190, 112), (212, 120), (226, 140), (235, 166), (243, 190), (244, 212), (236, 226), (190, 228)]
    trunk = smooth(mirrored(half)[:-1])
    whole = sheet.mask(trunk)
    sheet.lay(whole, FUR)
    sheet.clip = whole
    for side in (-1, 1):
        for y, inner in ((150, 26), (163, 29), (177, 33), (192, 36)):
            mark = [
                (190 + side * 60, y - 3),
                (190 + side * (inner + 6), y + 1),
                (190 + side * inner, y + 4.5),
                (190 + side * (inner + 9), y + 5),
                (190 + side * 60, y + 4),
            ]
            sheet.fill(smooth(mark), STRIPE)
    bib: list[Point] = [
        (190, 120),
        (210, 124),
        (214, 140),
        (209, 146, 1),
        (211, 154, 1),
        (205, 156, 1),
        (206, 165, 1),
        (199, 166, 1),
        (198, 175, 1),
        (193, 173, 1),
    ]
    sheet.fill(smooth([*bib, (190, 181, 1), *[(380 - x, y, *c) for x, y, *c in reversed(bib[1:])]]), WHITE)
    sheet.fill(smooth([(140, 116), (240, 116), (226, 137), (204, 145), (182, 147), (158, 141)]), SHADE, "multiply")
    sheet.crescent(whole, (13, -3), SHADE)
    sheet.crescent(whole, (-2.6, 1), (255, 232, 190), "over")
    sheet.clip = None
    sheet.outline(trunk, 2.1, INK)
    for side in (-1, 1):
        haunch = smooth(
            [(190 + side * 29, 222), (190 + side * 31, 202), (190 + side * 40, 192), (190 + side * 49, 196)], False
        )
        sheet.line(haunch, 1.6, INK)
    for side in (-1, 1):
        _leg(sheet, side)
    _collar(sheet)
    for tuft in (
        [(204, 157), (206, 165), (200, 166)],
        [(180, 154), (177, 163), (182, 165)],
        [(196, 168), (196, 175), (191, 173)],
    ):
        sheet.line(np.array(tuft, float), 1.0, (206, 150, 128))


def _thick(path: np.ndarray, first: float, last: float) -> np.ndarray:
    """The outline of a limb with a round end."""
    way = np.gradient(path, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    half = np.linspace(first, last, len(path))[:, None]
    side = np.stack([-way[:, 1], way[:, 0]], axis=1) * half
    angle = np.linspace(np.pi / 2, -np.pi / 2, 12)[:, None]
    end = path[-1] + last * (np.cos(angle) * way[-1] + np.sin(angle) * np.array([-way[-1, 1], way[-1, 0]]))
    return np.concatenate([path + side, end, (path - side)[::-1]])


def _leg(sheet: Sheet, side: int) -> None:
    """A foreleg with its paw, and the tip of the hind paw beside it."""

    def at(*points: Point) -> np.ndarray:
        return smooth([(190 + side * across, down, *corner) for across, down, *corner in points])

    hind = at((28, 230), (27, 222), (38, 217), (52, 219), (55, 227), (46, 231))
    sheet.fill(hind, WHITE)
    sheet.clip = sheet.mask(hind)
    sheet.crescent(sheet.clip, (2, -4), SHADE)
    sheet.clip = None
    sheet.outline(hind, 1.7, INK)
    for x in (41, 47.5):
        sheet.line(
            smooth([(190 + side * x, 230), (190 + side * (x + 0.8), 226.5), (190 + side * (x - 0.4), 223.5)], False),
            1.1,
            INK,
        )
    leg = at(
        (1.2, 178, 1),
        *_FOOT,
        (24, 170, 1),
        (14, 160),
    )
    sheet.clip = None
    mask = sheet.mask(leg)
    sheet.clip = mask
    sheet.fill(at((0, 186, 1), (30, 176, 1), (30, 240, 1), (0, 240, 1)), FUR)
    sheet.fill(at((0, 208), (8, 213), (14, 207), (20, 213), (28, 208), (32, 240), (0, 240)), WHITE)
    for y in (188, 198):
        sheet.fill(at((27, y - 3), (15, y), (11, y + 2.4), (17, y + 3.6), (27, y + 2)), STRIPE)
    shaded = Image.composite(mask, Image.new("L", sheet.size), sheet.mask(square(0, 184, 360, 270)))
    sheet.crescent(shaded, (5.5, -2), SHADE)
    sheet.clip = None
    sheet.line(
        smooth(
            [
                (190 + side * x, y)
                for x, y in (
                    (1.2, 186),
                    *_FOOT,
                    (23.5, 184),
                )
            ],
            False,
        ),
        2.0,
        INK,
    )
    for x in (10, 18):
        sheet.line(
            smooth([(190 + side * x, 233), (190 + side * (x + 0.6), 228.5), (190 + side * (x - 0.5), 225)], False),
            1.3,
            INK,
        )


def _collar(sheet: Sheet) -> None:
    band = smooth(
        [
            (156, 131, 1),
            (172, 139.5),
            (190, 142),
            (209, 139),
            (224, 130, 1),
            (225, 137, 1),
            (208, 146),
            (190, 149),
            (172, 147),
            (155, 138, 1),
        ]
    )
    sheet.fill(band, (206, 52, 66))
    sheet.clip = sheet.mask(band)
    sheet.crescent(sheet.clip, (1, -2.6), (150, 110, 150))
    sheet.clip = None
    sheet.outline(band, 1.4, INK)
    bell = disc(191, 152.5, 6.6)
    sheet.fill(bell, (248, 200, 74))
    sheet.clip = sheet.mask(bell)
    sheet.crescent(sheet.clip, (2.4, -2.4), (206, 140, 90))
    sheet.fill(disc(193.2, 149.8, 1.9, 1.5), (255, 248, 214))
    sheet.clip = None
    sheet.outline(bell, 1.5, INK)
    sheet.line(smooth([(184.6, 152), (191, 154.2), (197.4, 152)], False), 1.1, INK, (1, 1))
    sheet.line(np.array([(191, 154.4), (191, 158.4)]), 1.3, INK, (1, 1))


def drawing(scale: int = 8) -> Image.Image:
    """The whole picture, 360 x 270 RGB."""
    sheet = Sheet(360, 270, scale)
    scenery.sky(sheet)
    scenery.town(sheet)
    scenery.window(sheet)
    scenery.plant(sheet)
    body(sheet)
    face(sheet)
    scenery.mug(sheet)
    return sheet.finished()
