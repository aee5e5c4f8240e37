"""What is about the cat: an evening, a town, a window with its curtain, a geranium and a cup of tea."""

from __future__ import annotations

import numpy as np
from PIL import Image

from docs.samples.ink import INK, SHADE, Colour, Sheet, disc, smooth, square


def sky(sheet: Sheet) -> None:
    """Dusk: bands that run into each other, a moon, stars, and clouds lit from below right."""
    stops = [
        (0, (46, 58, 122)),
        (60, (96, 92, 160)),
        (115, (214, 132, 158)),
        (150, (255, 184, 142)),
        (200, (255, 224, 160)),
    ]
    rows = np.arange(sheet.size[1]) / sheet.scale
    bands = np.stack([np.interp(rows, [s[0] for s in stops], [s[1][c] for s in stops]) for c in range(3)], axis=-1)
    column = Image.fromarray(bands.astype(np.uint8)[:, None])
    sheet.image.paste(column.resize(sheet.size))
    random = np.random.default_rng(12)
    for _ in range(46):
        x, y = random.uniform(40, 350), random.uniform(10, 80)
        if np.hypot(x - 92, y - 48) > 26 and not (140 < x < 246 and y > 26):
            sheet.fill(disc(x, y, random.uniform(0.35, 0.9)), (255, 246, 226))
    moon = sheet.mask(disc(92, 48, 15))
    sheet.lay(sheet.mask(disc(92, 48, 22)), (150, 140, 196), part=0.35)
    sheet.crescent(moon, (-7, -4), (255, 244, 208), "over")
    puffs = [
        (250, 118, 20),
        (272, 104, 25),
        (300, 92, 27),
        (326, 106, 24),
        (348, 118, 22),
        (226, 126, 13),
        (315, 120, 26),
        (280, 122, 22),
    ]
    sheet.clip = sheet.mask(square(0, 0, 360, 131))
    cloud = sheet.mask(*(disc(*puff) for puff in puffs))
    sheet.lay(cloud, (206, 142, 176))
    for shift, part, tone in ((2, 0.88, (244, 184, 176)), (4.5, 0.7, (255, 210, 186)), (6.5, 0.46, (255, 232, 208))):
        for x, y, r in puffs:
            sheet.fill(disc(x + shift, y - shift, r * part), tone)
    sheet.clip = None
    sheet.fill(
        smooth([(214, 132), (250, 124), (290, 130), (330, 124), (360, 130), (360, 140), (280, 138), (230, 138)]),
        (255, 196, 156),
    )
    for x, y, wide in ((60, 108, 34), (120, 122, 26), (96, 136, 40), (240, 40, 30), (300, 30, 24)):
        tone = (240, 160, 166) if y > 60 else (128, 116, 178)
        sheet.fill(
            smooth(
                [
                    (x - wide, y),
                    (x - wide / 2, y - 2.4),
                    (x + wide / 3, y - 3),
                    (x + wide, y),
                    (x + wide / 4, y + 1.8),
                    (x - wide / 2, y + 1.4),
                ]
            ),
            tone,
        )
    for x, y, s in ((78, 92, 5), (94, 85, 4), (104, 96, 3.4)):
        wings = [
            (x - s, y - 0.35 * s),
            (x - 0.5 * s, y - 0.6 * s),
            (x, y, 1),
            (x + 0.5 * s, y - 0.6 * s),
            (x + s, y - 0.35 * s),
        ]
        sheet.line(smooth(wings, False), 1.1, INK)


def house(
    sheet: Sheet, left: float, right: float, eaves: float, top: float, wall: Colour, roof: Colour, random
) -> None:
    """A gable with tiles, windows that are lit here and there, and a chimney."""
    middle = (left + right) / 2
    chimney = square(middle + 5, top - 3, middle + 11, eaves)
    sheet.fill(chimney, wall)
    sheet.outline(chimney, 0.9, INK)
    body = square(left, eaves - 1, right, 222)
    sheet.fill(body, wall)
    sheet.fill(square(left, eaves, left + (right - left) * 0.34, 222), (190, 170, 214), "multiply")
    sheet.outline(body, 1.0, INK)
    slope = np.array([(left - 3, eaves + 1), (left + 5, top), (right - 5, top), (right + 3, eaves + 1)])
    sheet.fill(slope, roof)
    sheet.clip = sheet.mask(slope)
    for row, y in enumerate(np.arange(top + 3, eaves + 3, 4.2)):
        for x in np.arange(left - 6 + (row % 2) * 2.4, right + 6, 4.8):
            sheet.line(
                smooth([(x, y - 2.2), (x + 0.4, y), (x + 2.4, y + 0.9), (x + 4.4, y), (x + 4.8, y - 2.2)], False, 4),
                0.55,
                INK,
            )
    sheet.fill(
        np.array([(left - 3, top), (left + 9, top), (left + 4, eaves + 2), (left - 5, eaves + 2)]), SHADE, "multiply"
    )
    sheet.clip = None
    sheet.outline(slope, 1.2, INK)
    for x in np.arange(left + 6, right - 9, 11):
        for y in (eaves + 7, eaves + 23):
            pane = square(x, y, x + 6.4, y + 9)
            sheet.fill(pane, (255, 220, 120) if random.random() < 0.6 else (84, 84, 132))
            sheet.outline(pane, 0.8, INK)
            sheet.line(np.array([(x + 3.2, y), (x + 3.2, y + 9)]), 0.6, INK, (1, 1))
            sheet.line(np.array([(x, y + 4.2), (x + 6.4, y + 4.2)]), 0.6, INK, (1, 1))


def town(sheet: Sheet) -> None:
    """Roofs, a tower and trees beyond the window."""
    random = np.random.default_rng(9)
    hills = smooth([(30, 176), (90, 158), (150, 168), (220, 156), (300, 166), (360, 154), (360, 230), (30, 230)])
    sheet.fill(hills, (150, 116, 164))
    sheet.fill(
        smooth([(30, 190), (100, 176), (180, 184), (260, 172), (360, 182), (360, 230), (30, 230)]), (112, 96, 150)
    )
    tower = square(104, 126, 118, 222)
    sheet.fill(tower, (196, 150, 160))
    sheet.fill(square(104, 126, 109, 222), SHADE, "multiply")
    sheet.outline(tower, 1.0, INK)
    cap = np.array([(101.5, 127), (111, 100), (120.5, 127)])
    sheet.fill(cap, (86, 108, 140))
    sheet.fill(np.array([(101.5, 127), (111, 100), (109, 127)]), SHADE, "multiply")
    sheet.outline(cap, 1.1, INK)
    sheet.fill(disc(111, 138, 4.2), (255, 240, 200))
    sheet.outline(disc(111, 138, 4.2), 0.8, INK)
    sheet.line(np.array([(111, 138), (111, 135)]), 0.7, INK, (1, 1))
    sheet.line(np.array([(111, 138), (113.2, 139)]), 0.7, INK, (1, 1))
    for x, y, r in ((120, 176, 13), (133, 184, 11), (268, 172, 14), (254, 182, 12), (343, 178, 13)):
        bumps = [disc(x + r * 0.55 * np.cos(a), y + r * 0.5 * np.sin(a), r * 0.62) for a in np.arange(0, 6.2, 0.9)]
        crown = sheet.mask(*bumps, disc(x, y, r * 0.8))
        sheet.lay(crown, (70, 104, 104))
        sheet.crescent(crown, (3, -3), (46, 70, 90), "over")
        for _ in range(9):
            at, to = random.uniform(-0.7, 0.7, 2) * r
            sheet.line(
                smooth([(x + at, y + to), (x + at + 1.5, y + to - 1.2), (x + at + 3, y + to)], False, 5),
                0.7,
                (36, 48, 70),
            )
    for left, right, eaves, top, wall, roof in (
        (40, 84, 182, 158, (226, 170, 160), (170, 82, 92)),
        (88, 130, 190, 170, (206, 160, 176), (110, 88, 140)),
        (250, 292, 192, 172, (216, 164, 170), (124, 84, 130)),
        (296, 346, 182, 156, (232, 178, 160), (178, 88, 88)),
    ):
        house(sheet, left, right, eaves, top, wall, roof, random)


def window(sheet: Sheet) -> None:
    """Frame, sill and curtain."""
    frame, dark = (176, 116, 84), (126, 78, 66)
    for bar in (square(30, -2, 42, 222), square(346, -2, 364, 222), square(30, -4, 364, 9), square(128, 9, 134, 218)):
        sheet.fill(bar, frame)
        wide = bar[1, 0] - bar[0, 0]
        if wide < 30:
            sheet.fill(square(bar[0, 0], 0, bar[0, 0] + wide * 0.4, 222), dark)
        else:
            sheet.fill(square(30, 5, 364, 9), dark)
        sheet.outline(bar, 1.2, INK)
    sheet.fill(square(0, 216, 360, 238), (214, 152, 108))
    sheet.fill(square(0, 216, 360, 220), (240, 188, 138))
    sheet.fill(square(0, 238, 360, 270), (150, 92, 74))
    sheet.fill(square(0, 238, 360, 243), (112, 66, 64))
    random = np.random.default_rng(1)
    for _ in range(26):
        x, y = random.uniform(0, 350), random.choice([random.uniform(222, 236), random.uniform(246, 268)])
        long = random.uniform(14, 60)
        grain = smooth(
            [(x, y), (x + long / 3, y + random.normal(0, 0.6)), (x + long, y + random.normal(0, 0.4))], False
        )
        sheet.line(grain, 0.7, (120, 70, 62) if y < 240 else (104, 60, 58))
    sheet.line(np.array([(0, 216), (360, 216)]), 1.5, INK, (1, 1))
    sheet.line(np.array([(0, 238), (360, 238)]), 1.8, INK, (1, 1))
    left = [
        (-4, -4, 1),
        (64, -4, 1),
        (62, 50),
        (52, 104),
        (31, 146),
        (35, 152, 1),
        (46, 190),
        (50, 232, 1),
        (-4, 232, 1),
    ]
    curtain = smooth(left)
    cloth: Colour = (64, 134, 142)
    sheet.fill(curtain, cloth)
    sheet.clip = sheet.mask(curtain)
    for top, low in ((4, 3), (18, 10), (33, 18), (48, 25)):
        fold = [
            (top, -4, 1),
            (top + 6, -4, 1),
            (top + 4, 60),
            (low + 4, 120),
            (low, 150, 1),
            (low - 2, 110),
            (top - 2, 50),
        ]
        sheet.fill(smooth(fold), (38, 92, 112))
        sheet.fill(
            smooth([(low + 1, 152, 1), (low + 8, 190), (low + 12, 240, 1), (low + 3, 240, 1), (low + 2, 190)]),
            (38, 92, 112),
        )
        sheet.line(smooth([(top + 6, -4), (top + 4, 60), (low + 4, 120), (low, 150)], False), 1.2, INK)
        sheet.line(smooth([(low + 1, 152), (low + 8, 190), (low + 12, 240)], False), 1.2, INK)
    sheet.fill(square(-4, 224, 60, 228), (236, 206, 150))
    sheet.clip = None
    sheet.outline(curtain, 1.8, INK)
    tie = smooth([(-4, 144, 1), (20, 148), (36, 143, 1), (37, 153, 1), (20, 158), (-4, 155, 1)])
    sheet.fill(tie, (236, 190, 96))
    sheet.outline(tie, 1.3, INK)


def leaf(sheet: Sheet, x: float, y: float, size: float, turn: float, tone: Colour) -> None:
    """Of a geranium: lobed, with a darker ring and veins."""
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = (
        size
        * (1 + 0.075 * np.cos(7 * angle) + 0.02 * np.cos(21 * angle))
        * (1 - 0.55 * np.exp(-((angle - np.pi) ** 2) / 0.04))
    )
    c, s = np.cos(turn), np.sin(turn)
    px, py = radius * np.cos(angle), radius * np.sin(angle) * 0.86
    shape = np.stack([x + c * px - s * py, y + s * px + c * py], axis=1)
    whole = sheet.mask(shape)
    sheet.lay(whole, tone)
    sheet.clip = whole
    middle = np.array([x - 0.35 * size * c, y - 0.35 * size * s])
    ring = middle + (shape - middle) * 0.66
    sheet.fill(ring, tuple(int(v * 0.74) for v in tone))
    sheet.fill(middle + (shape - middle) * 0.46, tone)
    sheet.crescent(whole, (2.4, -2.6), (150, 160, 190))
    sheet.crescent(whole, (-1.2, 1.0), (206, 226, 140), "over", 0.8)
    for spread in (-1.9, -1.2, -0.6, 0, 0.6, 1.2, 1.9):
        tip = shape[int((spread % (2 * np.pi)) / (2 * np.pi) * 120) % 120]
        sheet.line(
            np.array([middle, middle + (tip - middle) * 0.5, middle + (tip - middle) * 0.86]),
            0.85,
            (34, 74, 60),
            (1, 0.1),
        )
    sheet.clip = None
    sheet.outline(shape, 1.25, INK)


def plant(sheet: Sheet) -> None:
    """A geranium in a pot."""
    sheet.fill(
        smooth([(292, 233), (320, 228), (352, 230), (360, 234), (330, 240), (300, 239)]), (150, 100, 120), "multiply"
    )
    pot = smooth([(303, 186, 1), (352, 186, 1), (346, 231, 1), (328, 234.5), (309, 231, 1)])
    sheet.fill(pot, (206, 104, 72))
    sheet.clip = sheet.mask(pot)
    sheet.crescent(sheet.clip, (13, -2), SHADE)
    sheet.crescent(sheet.clip, (-3, 0), (246, 170, 120), "over")
    for x in range(306, 352, 7):
        sheet.line(
            smooth([(x, 211), (x + 2, 206), (x + 4, 211), (x + 2, 216), (x, 211)], False, 5),
            0.9,
            (246, 206, 160),
            (1, 1),
        )
    sheet.clip = None
    sheet.outline(pot, 1.9, INK)
    for stem in (
        [(326, 188), (320, 160), (306, 138)],
        [(328, 188), (332, 150), (334, 124)],
        [(330, 188), (344, 164), (350, 150)],
    ):
        sheet.line(smooth(stem, False), 3.0, INK, (1, 0.8))
        sheet.line(smooth(stem, False), 1.5, (112, 160, 84), (1, 0.8))
    random = np.random.default_rng(6)
    greens = ((72, 140, 84), (94, 160, 86), (58, 122, 84), (112, 172, 92))
    places = [
        (302, 158, 12),
        (350, 160, 12),
        (316, 148, 11),
        (340, 146, 11),
        (308, 172, 13),
        (346, 174, 13),
        (326, 160, 12),
        (298, 180, 11),
        (330, 176, 13),
        (316, 184, 11),
        (344, 187, 10),
    ]
    for number, (x, y, size) in enumerate(places):
        leaf(sheet, x, y, size, random.uniform(0.2, 2.6), greens[number % 4])
    rim = smooth([(299, 185, 1), (313, 188), (340, 188), (356, 185, 1), (355, 195, 1), (328, 198), (300, 195, 1)])
    sheet.fill(rim, (222, 120, 82))
    sheet.clip = sheet.mask(rim)
    sheet.crescent(sheet.clip, (12, -3), SHADE)
    sheet.clip = None
    sheet.outline(rim, 1.7, INK)
    for cx, cy in ((305, 134), (335, 120), (350, 144)):
        for number in range(9):
            angle = number * 2.4
            blossom(
                sheet,
                cx + 2.9 * np.sqrt(number) * np.cos(angle),
                cy + 2.3 * np.sqrt(number) * np.sin(angle),
                4.1,
                angle,
            )


def blossom(sheet: Sheet, x: float, y: float, size: float, turn: float) -> None:
    """Five red petals."""
    petals = [
        disc(x + size * 0.55 * np.cos(turn + a), y + size * 0.5 * np.sin(turn + a), size * 0.5, count=24)
        for a in np.arange(5) * 1.2566
    ]
    edge = [petal + (petal - petal.mean(axis=0)) * 0.3 for petal in petals]
    sheet.lay(sheet.mask(*edge), INK)
    whole = sheet.mask(*petals)
    sheet.lay(whole, (232, 66, 78))
    sheet.crescent(whole, (1.0, -1.0), (176, 34, 74), "over")
    sheet.crescent(whole, (-0.7, 0.6), (255, 150, 140), "over")
    sheet.fill(disc(x, y, size * 0.2, count=12), (255, 222, 120))


def mug(sheet: Sheet) -> None:
    """A cup of tea that steams."""
    sheet.fill(smooth([(56, 240), (84, 236), (116, 238), (110, 244), (80, 246)]), (150, 100, 120), "multiply")
    handle = smooth([(103, 212), (116, 210), (118, 224), (102, 232)], False)
    sheet.line(handle, 6.6, INK, (0.9, 0.9))
    sheet.line(handle, 3.8, (232, 236, 240), (0.9, 0.9))
    wall = smooth([(70, 206, 1), (105, 206, 1), (104, 236), (99, 243, 1), (87, 245), (76, 243, 1), (71, 236)])
    sheet.fill(wall, (232, 236, 240))
    sheet.clip = sheet.mask(wall)
    sheet.fill(square(60, 222, 120, 230), (84, 124, 190))
    sheet.crescent(sheet.clip, (10, -1), SHADE)
    sheet.clip = None
    sheet.outline(wall, 1.8, INK)
    top = disc(87.5, 206, 17.5, 4.6)
    sheet.fill(top, (250, 250, 250))
    sheet.fill(disc(87.5, 206.8, 15, 3.2), (150, 78, 44))
    sheet.outline(top, 1.4, INK)
    for x, lift in ((82, 0), (92, -6)):
        steam = smooth(
            [(x, 198 + lift), (x - 4, 188 + lift), (x + 4, 178 + lift), (x - 1, 166 + lift), (x + 3, 156 + lift)], False
        )
        sheet.line(steam, 2.4, (255, 244, 232), (0.1, 0.1))
