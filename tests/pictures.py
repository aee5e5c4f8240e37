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
