"""Small pictures and metadata that the tests of reading and writing share."""

from __future__ import annotations

import io
import struct
import tempfile
from pathlib import Path

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


def jp2(pixels: np.ndarray, icc: bytes | None = None) -> bytes:
    """``(H, W[, 3]) uint8 or uint16`` as lossless JPEG 2000; with a profile, its ``colr`` box holds that instead."""
    import imagecodecs

    data = bytes(imagecodecs.jpeg2k_encode(pixels, level=0))
    if icc is None:
        return data
    header = data.index(b"jp2h") - 4
    color = data.index(b"colr", header) - 4
    length = int.from_bytes(data[color : color + 4], "big")
    box = (11 + len(icc)).to_bytes(4, "big") + b"colr\2\0\0" + icc
    size = int.from_bytes(data[header : header + 4], "big") - length + len(box)
    return data[:header] + size.to_bytes(4, "big") + data[header + 4 : color] + box + data[color + length :]


def psd(pixels: np.ndarray, *, packed: bool = False, selection: bool = False, icc: bytes | None = None) -> bytes:
    """``(H, W, 3 or 4)`` as a PSD with only its merged picture, as Photoshop's documentation describes it.

    Args:
        packed: run lengths instead of plain rows.
        selection: the fourth channel is a saved selection, not what is opaque.
        icc: profile among the image resources.
    """
    import imagecodecs

    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    head = b"8BPS\0\1" + bytes(6) + b"".join(n.to_bytes(k, "big") for n, k in ((channels, 2), (height, 4), (width, 4)))
    head += bits.to_bytes(2, "big") + (3).to_bytes(2, "big") + bytes(4)
    resources = b"" if icc is None else b"8BIM" + (1039).to_bytes(2, "big") + bytes(2) + len(icc).to_bytes(4, "big")
    resources += (icc or b"") + bytes(len(icc or b"") % 2)
    count = -1 if channels == 4 and not selection else 0
    layers = (4).to_bytes(4, "big") + count.to_bytes(2, "big", signed=True) + bytes(2)
    planes = pixels.transpose(2, 0, 1).astype(pixels.dtype.newbyteorder(">"))
    if packed:
        rows = [bytes(imagecodecs.packbits_encode(row.tobytes())) for plane in planes for row in plane]
        body = b"\0\1" + b"".join(len(row).to_bytes(2, "big") for row in rows) + b"".join(rows)
    else:
        body = b"\0\0" + planes.tobytes()
    sections = b"".join(len(part).to_bytes(4, "big") + part for part in (resources, layers))
    return head + sections + body


def radiance(light: np.ndarray) -> bytes:
    """``(H, W, 3) float32`` as Radiance HDR."""
    import imagecodecs

    return bytes(imagecodecs.rgbe_encode(np.ascontiguousarray(light, np.float32)))


def jxl(pixels: np.ndarray, quality: int = 100) -> bytes:
    """``(H, W, C) uint8 or uint16`` as JPEG XL with Adobe's profile, EXIF and XMP; lossless at 100."""
    import imagecodecs

    from utils.jxl import encoder

    icc = bytes(imagecodecs.cms_profile("adobergb"))
    canvas = pixels if quality == 100 else encoder.as_light(pixels, icc)
    bits = pixels.dtype.itemsize * 8
    return b"".join(encoder.encode(canvas, bits, quality, False, icc, exif_with_everything(), XMP))


def moving_jxl(frames: list[np.ndarray], quality: int = 100) -> bytes:
    """``(H, W, C) uint8`` frames as animated JPEG XL, of which each replaces the middle of the one before."""
    from utils.jxl import encoder, moving

    height, width = frames[0].shape[:2]
    boxes = [(0, 0, width, height), *[(3, 4, width - 5, height - 6)] * (len(frames) - 1)]
    parts = []
    for number, (frame, box) in enumerate(zip(frames, boxes, strict=True), 1):
        left, top, right, bottom = box
        still = encoder.still(np.ascontiguousarray(frame[top:bottom, left:right]), quality, False)
        if not parts:
            parts.append(moving.head(still, 8, None, 1000, 0))
        parts.append(moving.frame(still, box, (width, height), 40, last=number == len(frames)))
    return b"".join(parts)


def openexr(light: np.ndarray, compression: str = "ZIP", **header) -> bytes:
    """``(H, W, C)`` half or full floats as OpenEXR: Y, Y and A, RGB or RGB and A; attributes as its package names them.

    Args:
        window: left and top of the data window; the display window is ``display`` (width, height), or as large.
        layer: a name before those of the channels.
    """
    import OpenEXR

    height, width, count = light.shape
    left, top = header.pop("window", (0, 0))
    shown = header.pop("display", (left + width, top + height))
    layer = header.pop("layer", "")
    header |= {
        "compression": getattr(OpenEXR, f"{compression}_COMPRESSION"),
        "type": OpenEXR.scanlineimage,
        "dataWindow": (np.array([left, top], np.int32), np.array([left + width - 1, top + height - 1], np.int32)),
        "displayWindow": (np.zeros(2, np.int32), np.array([shown[0] - 1, shown[1] - 1], np.int32)),
    }
    names = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}[count]
    channels = {layer + name: np.ascontiguousarray(light[..., place]) for place, name in enumerate(names)}
    with tempfile.TemporaryDirectory() as folder:
        OpenEXR.File(header, channels).write(f"{folder}/a.exr")
        return Path(folder, "a.exr").read_bytes()


def dng(
    seen: np.ndarray,
    orientation: int = 1,
    white: tuple[float, float, float] = (1.0, 1.0, 1.0),
    *,
    packed: bool = False,
) -> bytes:
    """``(H, W, 3) uint8 or uint16`` light of Rec. 709's primaries as a camera with a Bayer filter would store it.

    A small white preview stands first, as cameras put it, and the sensor's data in a directory below.

    Args:
        white: what the camera saw where it saw white; its light is divided by that.
        packed: the sensor's data as lossless JPEG.
    """
    from utils.colorimetry import REC_709, to_xyz

    matrix = np.rint(np.linalg.inv(to_xyz(REC_709)) * 10000).astype(int).ravel()
    ones = [number for value in white for number in (round(value * 10000), 10000)]
    camera = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Test camera", True),
        (50721, "2i", 9, [number for value in matrix for number in (int(value), 10000)], True),
        (50728, "2I", 3, ones, True),
        (50778, "H", 1, 21, True),
        *_camera("Maker", "Camera", orientation),
    ]
    mosaic = _through_filter((seen * np.array(white)).astype(seen.dtype))
    return _raw(mosaic, camera, [(50717, "H", 1, int(np.iinfo(seen.dtype).max), True)], "<", packed)


def nef(seen: np.ndarray) -> bytes:
    """``(H, W, 3) uint16`` light as Nikon's cameras store it: big-endian, not compressed, nothing of DNG in it."""
    return _raw(_through_filter(seen), _camera("NIKON CORPORATION", "NIKON D100", 1), [], ">")


def arw(seen: np.ndarray) -> bytes:
    """``(H, W, 3) uint16`` light as Sony's cameras store it, 16 pixels of a colour in 16 bytes; W a multiple of 32.

    The 16 become one level, of 11 bits: their largest, their smallest, where these two are, and no difference of others.
    """
    mosaic = _through_filter(seen) >> 5
    height, width = mosaic.shape
    levels = mosaic.reshape(height, width // 32, 16, 2).mean(axis=2).astype(int).ravel()
    blocks = b"".join((level | level << 11 | 1 << 26).to_bytes(16, "little") for level in levels.tolist())
    stored = np.frombuffer(blocks, np.uint8).reshape(height, width)
    data = bytearray(_raw(stored, _camera("SONY", "ILCE-7", 1), [], "<"))
    place = data.rindex(struct.pack("<HHIHH", 259, 3, 1, 1, 0))  # how the sensor's data are compressed
    data[place + 8 : place + 10] = struct.pack("<H", 32767)
    return bytes(data)


def _camera(maker: str, model: str, orientation: int) -> list[tuple[int, str, int, object, bool]]:
    return [
        (271, "s", 0, maker, True),
        (272, "s", 0, model, True),
        (274, "H", 1, orientation, True),
        (306, "s", 0, "2024:05:06 07:08:09", True),
    ]


def _through_filter(seen: np.ndarray) -> np.ndarray:
    """``(H, W, 3)`` -> ``(H, W)``: what a Bayer filter (RGGB) lets through."""
    mosaic = np.empty(seen.shape[:2], seen.dtype)
    for row, column, color in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = seen[row::2, column::2, color]
    return mosaic


def _raw(mosaic: np.ndarray, camera: list, sensor: list, order: str, packed: bool = False) -> bytes:
    """A TIFF with a small white preview first, and the sensor's data in a directory below.

    Args:
        camera, sensor: tags of the two directories, as tifffile takes them.
        order: "<" or ">".
    """
    import imagecodecs
    import tifffile

    sensor = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True), *sensor]
    how = {"photometric": 32803, "planarconfig": 1, "extratags": sensor, "metadata": None}
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder=order) as tiff:
        preview = np.full((4, 6, 3), 255, np.uint8)
        tiff.write(preview, photometric="rgb", subfiletype=1, subifds=1, extratags=camera, metadata=None)
        if packed:
            strip = bytes(imagecodecs.ljpeg_encode(mosaic, bitspersample=8 * mosaic.itemsize))
            how |= {"shape": mosaic.shape, "dtype": mosaic.dtype, "compression": 7, "rowsperstrip": len(mosaic)}
            tiff.write(iter([strip]), **how)
        else:
            tiff.write(mosaic, **how)
    return stream.getvalue()
