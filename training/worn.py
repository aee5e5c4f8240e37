"""Wear: what cameras, resizers, printers and encoders leave of a picture, for pictures at their final size.

Every function takes ``(H, W, 3) uint8`` RGB and gives the same shape; what it does follows from the generator alone.
Kinds follow Real-ESRGAN's degradations (Wang et al., 2021), with those of phones, scanners and films beside them.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np

Wear = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def jpeg(random: np.random.Generator, rgb: np.ndarray, low: int = 10, high: int = 96) -> np.ndarray:
    """JPEG of any quality, colours at half resolution in four of five."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if random.random() < 0.8 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    flags = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(low, high)), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return _decoded(".jpg", rgb, flags)


def webp(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Lossy WebP."""
    return _decoded(".webp", rgb, [cv2.IMWRITE_WEBP_QUALITY, int(random.integers(10, 96))])


def _decoded(kind: str, rgb: np.ndarray, flags: list[int]) -> np.ndarray:
    _, data = cv2.imencode(kind, rgb[..., ::-1], flags)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


def jpeg_twice(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Encoded, moved against the grid of blocks (and sometimes resized), encoded again."""
    first = jpeg(random, rgb)
    down, right = random.integers(0, 8, 2)
    moved = np.roll(first, (int(down), int(right)), (0, 1))
    if random.random() < 0.4:
        moved = resized(random, moved)
    again = jpeg(random, moved)
    return np.ascontiguousarray(np.roll(again, (-int(down), -int(right)), (0, 1)))


def resized(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """To another size and back, as screenshots that were fitted to a page."""
    height, width = rgb.shape[:2]
    factor = float(random.uniform(0.6, 1.6))
    filters = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)
    there, back = random.choice(5, 2, p=(0.3, 0.3, 0.2, 0.12, 0.08))
    other = cv2.resize(rgb, (round(width * factor), round(height * factor)), interpolation=filters[there])
    return np.asarray(cv2.resize(other, (width, height), interpolation=filters[back]))


def phone_noise(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Shot and read noise, its colours blotchy, then a phone's smoothing and sharpening."""
    pixels = rgb.astype(np.float32)
    strength = random.uniform(2, 15)
    shot = np.sqrt(np.clip(pixels, 4, 255) / 128)
    luminance = random.normal(0, 1, (*rgb.shape[:2], 1)) * strength
    colours = random.normal(0, 1, rgb.shape).astype(np.float32)
    colours = cv2.GaussianBlur(colours, (0, 0), random.uniform(0.5, 1.6)) * strength * random.uniform(0.5, 1.8)
    noisy = _bytes(pixels + shot * (luminance + colours))
    if random.random() < 0.6:
        noisy = np.asarray(cv2.bilateralFilter(noisy, 5, strength * random.uniform(1, 3), 2))
    if random.random() < 0.5:
        noisy = halos(random, noisy)
    return noisy


def noise(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Gaussian noise, grey or coloured."""
    shape = rgb.shape if random.random() < 0.6 else (*rgb.shape[:2], 1)
    return _bytes(rgb + random.normal(0, random.uniform(1, 16), shape))


def blur(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Out of focus, shaken, or resized softly."""
    chance = random.random()
    if chance < 0.6:
        x = random.uniform(0.3, 2.2)
        y = x if random.random() < 0.7 else random.uniform(0.3, 2.2)
        return np.asarray(cv2.GaussianBlur(rgb, (0, 0), x, sigmaY=y))
    size = int(random.integers(1, 4)) * 2 + 1
    if chance < 0.8:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.float32)
    else:
        angle = random.uniform(0, np.pi)
        kernel = np.zeros((size, size), np.float32)
        middle, reach = size // 2, (size - 1) / 2
        away = (round(np.cos(angle) * reach), round(np.sin(angle) * reach))
        cv2.line(kernel, (middle - away[0], middle - away[1]), (middle + away[0], middle + away[1]), 1)
    return np.asarray(cv2.filter2D(rgb, -1, kernel / kernel.sum()))


def halos(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Sharpened too much: an unsharp mask."""
    soft = cv2.GaussianBlur(rgb, (0, 0), random.uniform(0.6, 2.5)).astype(np.float32)
    return _bytes(rgb + (rgb - soft) * random.uniform(0.5, 2.5))


def scan(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Paper and printing: a tint, grain, sometimes dust and a dot screen, a slight softness."""
    pixels = rgb.astype(np.float32)
    if random.random() < 0.3:
        pitch, angle = random.uniform(2.5, 5), random.uniform(0, np.pi)
        y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
        across = np.cos((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch)
        along = np.cos((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / pitch)
        pixels += ((across + along) * random.uniform(4, 25))[..., None]
    paper = np.array([random.uniform(235, 255), random.uniform(228, 252), random.uniform(205, 248)])
    pixels = random.uniform(0, 35) + pixels / 255 * (paper - 20)
    grain = cv2.GaussianBlur(random.normal(0, 1, rgb.shape[:2]).astype(np.float32), (0, 0), random.uniform(0.4, 1.2))
    pixels += (grain * random.uniform(1, 12))[..., None]
    for _ in range(int(random.integers(0, 6)) if random.random() < 0.4 else 0):
        spot = (int(random.integers(rgb.shape[1])), int(random.integers(rgb.shape[0])))
        cv2.circle(pixels, spot, int(random.integers(1, 3)), (float(random.choice((30, 240))),) * 3, -1)
    return np.asarray(cv2.GaussianBlur(_bytes(pixels), (0, 0), random.uniform(0.3, 0.9)))


def film(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """The third frame of a short film whose picture moves a little, through H.264 at some rate."""
    import av

    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    step = random.integers(-3, 4, 2)
    data = io.BytesIO()
    with av.open(data, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1  # threads would change what it writes
        stream.options = {"crf": str(int(random.integers(17, 40))), "preset": "veryfast", "bf": "0"}
        for number in range(3):
            moved = np.roll(rgb, tuple(int(value) * (number - 2) for value in step), (0, 1))[:height, :width]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), format="rgb24")))
        container.mux(stream.encode(None))
    data.seek(0)
    with av.open(data) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    result = rgb.copy()
    result[:height, :width] = frames[-1]
    return result


def relit(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Darker, brighter, flatter or grey."""
    if random.random() < 0.25:
        return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    pixels = (rgb / 255.0) ** float(np.exp(random.uniform(-0.8, 1.2))) * 255
    return _bytes((pixels - 128) * random.uniform(0.4, 1.2) + 128 + random.uniform(-40, 25))


def _after(*steps: Wear) -> Wear:
    def all_of_them(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
        for step in steps:
            rgb = step(random, rgb)
        return rgb

    return all_of_them


def _untouched(random: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    return rgb


PHOTOGRAPHED: tuple[tuple[float, Wear], ...] = (
    (0.12, _untouched),
    (0.20, jpeg),
    (0.12, jpeg_twice),
    (0.06, webp),
    (0.08, _after(phone_noise, jpeg)),
    (0.04, phone_noise),
    (0.04, noise),
    (0.04, _after(noise, jpeg)),
    (0.05, _after(blur, jpeg)),
    (0.04, _after(blur, noise, jpeg)),
    (0.03, _after(halos, jpeg)),
    (0.02, halos),
    (0.03, _after(resized, jpeg)),
    (0.04, _after(scan, jpeg)),
    (0.09, film),
)
DRAWN: tuple[tuple[float, Wear], ...] = (
    (0.18, _untouched),
    (0.22, jpeg),
    (0.14, jpeg_twice),
    (0.07, webp),
    (0.05, _after(noise, jpeg)),
    (0.05, _after(blur, jpeg)),
    (0.04, blur),
    (0.03, halos),
    (0.08, _after(resized, jpeg)),
    (0.04, _after(scan, jpeg)),
    (0.10, film),
)
FILMED: tuple[tuple[float, Wear], ...] = (
    (0.15, _untouched),
    (0.45, film),
    (0.15, _after(resized, film)),
    (0.12, _after(blur, film)),
    (0.04, _after(halos, film)),
    (0.04, _after(noise, film)),
    (0.05, jpeg),
)
"""Frames of films, most of them as an encoder left them."""


def worn(random: np.random.Generator, rgb: np.ndarray, kinds: tuple[tuple[float, Wear], ...]) -> np.ndarray:
    """``(H, W, 3) uint8`` as real pictures of its kind come, clean ones among them.

    Args:
        kinds: the wear that occurs, each with its share.
    """
    if random.random() < 0.18:
        rgb = relit(random, rgb)
    shares = np.array([share for share, _ in kinds])
    return kinds[int(random.choice(len(kinds), p=shares / shares.sum()))][1](random, rgb)
