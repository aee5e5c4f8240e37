"""Small pictures and metadata that the tests of reading and writing share."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    b'tiff:Orientation="6" exif:PixelXDimension="30" exif:GPSLatitude="52,31N" '
    b'xmlns:dc="http://purl.org/dc/" dc:title="Kept">'
    b"<exif:PixelYDimension>20</exif:PixelYDimension></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def shade(level: int, width: int, height: int) -> np.ndarray:
    """``(H, W, 3) uint8`` of one gray level but for a grain of one: no network is asked about a single colour."""
    grain = np.indices((height, width)).sum(axis=0) % 8 == 0
    return np.repeat(np.clip(level + grain, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def pattern(height=20, width=30, channels=3, dtype=np.uint8) -> np.ndarray:
    """Noise, the same every time: nothing about it survives a mistake unseen."""
    top = np.iinfo(dtype).max + 1
    return np.random.default_rng(channels).integers(0, top, (height, width, channels)).astype(dtype)


def exif_with_everything() -> bytes:
    """EXIF of a 30 x 20 camera picture lying on its side, with maker, exposure time and position; no prefix."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera maker"
    exif[0x0100], exif[0x0101] = 30, 20
    details = exif.get_ifd(0x8769)
    details[0xA002], details[0xA003] = 30, 20
    details[0x829A] = IFDRational(1, 125)
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes().removeprefix(b"Exif\x00\x00")


FACE = np.array([(-0.5, 0.0), (0.5, 0.0), (0.0, 0.6), (-0.42, 1.05), (0.42, 1.05)])
"""Landmarks of a frontal face, in distances between its eyes, from the middle between them."""


def face_landmarks(x: float, y: float, eyes: float, degrees: float = 0.0) -> np.ndarray:
    """``(5, 2) float32`` landmarks of a face whose eyes are ``eyes`` pixels apart around (x, y), turned clockwise."""
    turn = np.deg2rad(degrees)
    matrix = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    return (FACE @ matrix.T * eyes + (x, y)).astype(np.float32)


def portrait(height: int, width: int, faces, dtype=np.uint8) -> np.ndarray:
    """``(H, W, 3)``: ovals with eyes and mouths on a shaded background, with noise; no detector's face, but an aligner's.

    Args:
        faces: arguments of ``face_landmarks``, one tuple a face.
    """
    import cv2

    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    canvas = np.stack([0.3 + 0.3 * x / width, 0.4 + 0.2 * y / height, 0.5 + 0.1 * np.sin(x / 17)], axis=-1)
    for one in faces:
        points, eyes = face_landmarks(*one), one[2]
        parts = [
            (points.mean(0), (1.0, 1.35), (0.85, 0.65, 0.55)),
            (points[0], (0.18, 0.1), (0.15, 0.1, 0.1)),
            (points[1], (0.18, 0.1), (0.15, 0.1, 0.1)),
            (points[2], (0.1, 0.08), (0.7, 0.5, 0.45)),
            (points[3:].mean(0), (0.42, 0.12), (0.6, 0.2, 0.25)),
        ]
        for center, axes, color in parts:
            # OpenCV counts from the middle of a pixel, in sixteenths here.
            spot = [round((float(value) - 0.5) * 16) for value in center]
            size = [max(1, round(value * eyes * 16)) for value in axes]
            cv2.ellipse(canvas, spot, size, one[3] if len(one) > 3 else 0.0, 0, 360, color, -1, cv2.LINE_AA, 4)
    canvas += np.random.default_rng(4).normal(0, 0.02, canvas.shape)
    top = np.iinfo(dtype).max
    return np.rint(np.clip(canvas, 0, 1) * top).astype(dtype)
