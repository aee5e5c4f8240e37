"""Pasting back: a network that changes nothing changes nothing, and one that does leaves no square."""

from __future__ import annotations

import numpy as np
import pytest

from engine.faces.align import CROP_SIDE, TEMPLATE, align, crop_face
from engine.faces.mask import face_mask
from engine.faces.paste import FacePaster, FacePatch, is_gray, with_strengths
from engine.pixels.resample import from_full_scale, to_full_scale
from tests.pictures import face_landmarks, portrait

FACES = {
    "small": (130, 80, 20),
    "at the crop's size": (300, 260, 126),
    "large": (300, 200, 230),
    "turned": (300, 260, 100, 33),
    "upside down": (300, 260, 100, 180),
    "cut by the left border": (20, 260, 100),
    "cut by the corner": (600, 10, 80, -20),
}


def patch(picture, spot, change=lambda crop: crop, number=1, strength=1.0) -> FacePatch:
    """The face at ``spot``, restored by ``change``."""
    alignment = align(face_landmarks(*spot))
    crop = crop_face(picture, alignment)
    restored = np.clip(change(crop), 0, 1)
    if restored.shape[2] == 1:
        restored = np.repeat(restored, 3, axis=2)
    return FacePatch(number, alignment, TEMPLATE, np.rint(restored * 65535).astype(np.uint16), strength)


def pasted(picture, patches, rows=64, keep=False):
    """The picture with the patches, streamed in bands; and the paster."""
    paster = FacePaster(patches, picture.shape[1::-1], channels=3 if picture.shape[2] >= 3 else 1, keep=keep)
    full = to_full_scale(picture)
    bands = paster.bands(full[top : top + rows] for top in range(0, picture.shape[0], rows))
    joined = np.concatenate(list(bands))
    return from_full_scale(joined, 8 if picture.dtype == np.uint8 else 16), paster


def redraw(crop):
    """A stand-in for a restorer that changes what it sees: everything shifted and brightened."""
    return np.roll(crop, 9, axis=1) * 0.7 + 0.25


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("kind", ["rgb", "gray", "16 bit"])
def test_an_identity_network_returns_the_picture(name, kind):
    picture = portrait(520, 620, [FACES[name]], np.uint16 if kind == "16 bit" else np.uint8)
    picture = picture[..., :1] if kind == "gray" else picture
    result, _ = pasted(picture, [patch(picture, FACES[name])])
    one = 1 if picture.dtype == np.uint8 else 257
    assert np.abs(result.astype(int) - picture).max() <= one


@pytest.mark.parametrize("name", FACES)
def test_a_changed_face_changes_its_core_and_nothing_outside(name):
    picture = portrait(520, 620, [FACES[name]])
    result, _ = pasted(picture, [patch(picture, FACES[name], redraw)])
    alignment = align(face_landmarks(*FACES[name]))
    y, x = np.mgrid[0:520, 0:620] + 0.5
    where = alignment.to_crop(np.column_stack([x.ravel(), y.ravel()])).reshape(520, 620, 2)
    outside = ((where < 0) | (where > CROP_SIDE)).any(axis=2)
    assert np.array_equal(result[outside], picture[outside])
    middle = (np.abs(where - 290) < 60).all(axis=2)
    assert np.abs(result[middle].astype(int) - picture[middle]).mean() > 3


def test_the_core_shows_the_restored_face():
    """Where the mask is 1 and the face has the crop's size, what the network drew is what is seen (but for its tone)."""
    spot = (300, 260, 125.7)
    picture = portrait(520, 620, [spot])
    rng = np.random.default_rng(0)
    one = patch(picture, spot, lambda crop: crop + rng.normal(0, 0.15, crop.shape).astype(np.float32))
    result, _ = pasted(picture, [one])
    before = crop_face(picture, one.alignment)[200:380, 200:310]
    after = crop_face(result, one.alignment)[200:380, 200:310]
    drawn = one.restored[200:380, 200:310] / 65535
    assert np.corrcoef((after - before).ravel(), (drawn - before).ravel())[0, 1] > 0.9


def test_no_square_is_visible():
    """On a flat picture the fade to a wholly different face is never steeper than a few hundredths a pixel."""
    picture = np.full((520, 620, 3), 128, np.uint8)
    spot = (300, 220, 126)
    checks = np.indices((CROP_SIDE, CROP_SIDE)).sum(0) // 256 % 2
    one = patch(picture, spot, lambda crop: np.repeat(checks[..., None] * 0.4 + 0.3, 3, axis=2).astype(np.float32))
    mask = face_mask(TEMPLATE)
    steepest = max(np.abs(np.diff(mask, axis=axis)).max() for axis in (0, 1))
    assert steepest < 0.05
    result, _ = pasted(picture, [one])
    changed = np.abs(result.astype(int) - 128).max(axis=2) > 1
    left, top, right, bottom = one.alignment.box((620, 520))
    assert changed.any()
    assert not changed[: top + 10].any() and not changed[:, : left + 10].any() and not changed[:, right - 10 :].any()
    # Not a box: the corners around what changed did not.
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    inner = changed[rows[0] : rows[-1], columns[0] : columns[-1]]
    corner = inner.shape[0] // 10
    assert not inner[:corner, :corner].any() and not inner[-corner:, -corner:].any()


@pytest.mark.parametrize("degrees", [-40, 0, 40])
def test_the_mask_covers_the_landmarks_and_fades_before_the_border(degrees):
    points = (TEMPLATE - 256) @ _turn(degrees).T + 256
    mask = face_mask(points)
    assert mask.min() == 0 and mask.max() == 1
    assert all(mask[int(y), int(x)] == 1 for x, y in points)
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0


def test_the_mask_of_a_turned_head_is_narrower_on_the_far_side():
    points = TEMPLATE.copy()
    points[2, 0] += 45
    mask = face_mask(points)
    eyes = int(points[0, 1])
    frontal = face_mask(TEMPLATE)[eyes].sum()
    assert mask[eyes, 256:].sum() < 0.85 * frontal / 2 < 1.05 * mask[eyes, :256].sum()


def test_tone_comes_from_the_picture():
    """A restorer that yellows the skin is brought back to the picture's colour."""
    spot = (300, 260, 126)
    picture = portrait(520, 620, [spot])
    yellow = np.float32((0.08, 0.04, -0.12))
    result, _ = pasted(picture, [patch(picture, spot, lambda crop: crop + yellow)])
    assert np.abs(result.astype(int).mean((0, 1)) - picture.mean((0, 1))).max() < 0.5
    assert np.abs(result.astype(int) - picture).mean() < 1


def test_gray_pictures_stay_gray_even_in_three_channels():
    spot = (300, 260, 126)
    picture = np.repeat(portrait(520, 620, [spot])[..., :1], 3, axis=2)
    tint = np.float32((0.2, 0.0, -0.2))
    result, _ = pasted(picture, [patch(picture, spot, lambda crop: redraw(crop) + tint)])
    assert np.ptp(result.astype(int), axis=2).max() <= 1
    assert not np.array_equal(result, picture)


@pytest.mark.parametrize(
    ("noise", "tint", "gray"), [(8, (0, 0, 0), True), (0, (2, 0, -2), True), (4, (9, 0, -9), False)]
)
def test_noise_in_a_gray_picture_is_no_colour_but_a_tint_is(noise, tint, gray):
    picture = np.repeat(portrait(520, 620, [(300, 260, 126)])[..., :1], 3, axis=2)
    noisy = picture + np.random.default_rng(0).normal(0, max(noise, 1e-3), picture.shape) + tint
    crop = crop_face(np.clip(noisy, 0, 255).astype(np.uint8), align(face_landmarks(300, 260, 126)))
    assert is_gray(crop) is gray


def test_alpha_is_not_touched():
    picture = portrait(300, 400, [(200, 120, 60)])
    alpha = np.random.default_rng(0).integers(0, 255, (300, 400, 1)).astype(np.uint8)
    result, _ = pasted(np.dstack([picture, alpha]), [patch(picture, (200, 120, 60), redraw)])
    assert np.array_equal(result[..., 3:], alpha) and not np.array_equal(result[..., :3], picture)


@pytest.mark.parametrize("rows", [1, 37, 520])
def test_the_bands_do_not_matter(rows):
    spots = [(100, 90, 40), (180, 130, 50, 20), (500, 400, 60), (560, 100, 30)]
    picture = portrait(520, 620, spots)
    patches = [patch(picture, spot, redraw, number) for number, spot in enumerate(spots, 1)]
    whole, _ = pasted(picture, patches, rows=1000)
    assert np.array_equal(pasted(picture, patches, rows=rows)[0], whole)


def test_faces_do_not_depend_on_their_order():
    spots = [(200, 200, 70), (290, 220, 70, 15), (380, 200, 70)]
    picture = portrait(520, 620, spots)
    patches = [patch(picture, spot, redraw, number) for number, spot in enumerate(spots, 1)]
    assert np.array_equal(pasted(picture, patches)[0], pasted(picture, patches[::-1])[0])


def test_strength_is_a_blend():
    spot = (300, 260, 126)
    picture = portrait(520, 620, [spot], np.uint16)
    none, half, full = (
        pasted(picture, [patch(picture, spot, redraw, strength=strength)])[0].astype(int) for strength in (0, 0.5, 1)
    )
    assert np.array_equal(none, picture)
    assert np.abs(half - (none + full) / 2).max() <= 1


def test_a_kept_cluster_gives_any_strength_later():
    spot = (300, 260, 126)
    picture = portrait(520, 620, [spot])
    _, paster = pasted(picture, [patch(picture, spot, redraw)], keep=True)
    third, _ = pasted(picture, [patch(picture, spot, redraw, strength=0.3)])
    (cluster,) = paster.clusters
    left, top, right, bottom = cluster.box
    again = from_full_scale(with_strengths(cluster, {1: 0.3}).render(), 8)
    assert np.array_equal(again, third[top:bottom, left:right])


def test_large_faces_are_rendered_in_strips_without_a_trace(monkeypatch):
    spot = (300, 200, 230)
    picture = portrait(520, 620, [spot])
    whole, _ = pasted(picture, [patch(picture, spot, redraw)])
    monkeypatch.setattr("engine.faces.paste._STRIP_PIXELS", 620 * 20)
    assert np.array_equal(pasted(picture, [patch(picture, spot, redraw)])[0], whole)


def _turn(degrees):
    turn = np.deg2rad(degrees)
    return np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
