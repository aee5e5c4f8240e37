"""Small videos made on the spot. Every frame carries its number, so that order and completeness can be read back."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from utils.metrics import luma

BITS = 8


def numbered_frame(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """``(H, W, 3) uint8``: a moving gradient, and along the top the number as black and white fields."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    shift = number * 5
    frame = np.stack([(x * 3 + shift) % 200 + 20, (y * 4) % 180 + 30, np.full_like(x, 90 + number % 60)], axis=-1)
    side = width // BITS
    for bit in range(BITS):
        frame[: height // 4, bit * side : (bit + 1) * side] = 235 if number >> bit & 1 else 20
    return frame.astype(np.uint8)


def number_of(pixels: np.ndarray) -> int:
    """The number that a frame of any size shows."""
    height, width = pixels.shape[:2]
    side = width / BITS
    rows = slice(height // 16, height // 4 - height // 16)
    fields = [pixels[rows, round((bit + 0.25) * side) : round((bit + 0.75) * side)].mean() for bit in range(BITS)]
    middle = np.iinfo(pixels.dtype).max / 2
    return sum(int(value > middle) << bit for bit, value in enumerate(fields))


def moving_frame(moment: float, width: int, height: int) -> np.ndarray:
    """A light bar and a dark disc over a soft ground, eight pixels a frame to the right."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    frame = np.stack([90 + 40 * y / height, 100 + 0 * x, 120 + 30 * x / width], axis=-1)
    left = 40 + 8 * moment
    frame[(x >= left) & (x < left + 24)] = (230, 225, 210)
    frame[(x - left - 120) ** 2 + (y - height / 2) ** 2 < 40**2] = (20, 25, 40)
    return frame.astype(np.uint8)


def woven_frame(number: int, width: int, height: int) -> np.ndarray:
    """The upper lines of one moment, the lower ones of half a frame later."""
    frame = moving_frame(number, width, height)
    frame[1::2] = moving_frame(number + 0.5, width, height)[1::2]
    return frame


def woven_frame_lower_first(number: int, width: int, height: int) -> np.ndarray:
    """The lower lines' moment comes first."""
    frame = moving_frame(number + 0.5, width, height)
    frame[1::2] = moving_frame(number, width, height)[1::2]
    return frame


_PULLDOWN = ((0, 0), (1, 1), (1, 2), (2, 3), (3, 3))
"""Which of four frames of cinema the first and the second field of five of television show."""


def telecined_frame(number: int, width: int, height: int) -> np.ndarray:
    """Cinema, 3:2 pulled down; upper lines first."""
    cycle, place = divmod(number, 5)
    upper, lower = (moving_frame(4 * cycle + one, width, height) for one in _PULLDOWN[place])
    upper[1::2] = lower[1::2]
    return upper


def telecined_frame_lower_first(number: int, width: int, height: int) -> np.ndarray:
    """The same with the lower lines first."""
    cycle, place = divmod(number, 5)
    lower, upper = (moving_frame(4 * cycle + one, width, height) for one in _PULLDOWN[place])
    upper[1::2] = lower[1::2]
    return upper


COMBED_SHARE = 0.012
"""From this share on one of the frames above is combed."""


def combed_share(rgb: np.ndarray) -> float:
    """Share of a frame's pixels that are teeth of a comb, less twice that of teeth lying on their side."""
    plane = luma(rgb >> 8 if rgb.dtype == np.uint16 else rgb)
    return _teeth(plane) - 2 * _teeth(plane.T)


def _teeth(plane: np.ndarray) -> float:
    """Share of pixels unlike the lines above and below, which are alike, and like the line beyond."""
    up, here, down = plane[1:-3], plane[2:-2], plane[3:-1]
    above, below = here - up, here - down
    teeth = (np.minimum(np.abs(above), np.abs(below)) > 14) & (above * below > 0)
    alike = np.abs(up - down) < 0.5 * np.abs(above)
    again = np.abs(here - plane[:-4]) < 0.5 * np.abs(above)
    return float((teeth & alike & again).mean())


@dataclass(frozen=True)
class Clip:
    """What a file holds, as PyAV reads it back. Times are exact fractions of a second."""

    codec: str
    size: tuple[int, int]
    pixel_format: str
    times: list[Fraction]
    numbers: list[int]
    pixels: list[np.ndarray]
    audio: list[tuple[Fraction, bytes]]
    subtitles: list[tuple[Fraction, str]]
    chapters: list[tuple[Fraction, Fraction, str]]
    metadata: dict[str, str]
    stream: dict[str, Any]


def make_clip(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rate: int | Fraction = 25,
    time_base: Fraction | None = None,
    stamps: list[int] | None = None,
    audio: str | None = "aac",
    subtitles: list[tuple[float, float, str]] | None = None,
    chapters: list[tuple[float, float, str]] | None = None,
    options: dict[str, str] | None = None,
    draw: Any = numbered_frame,
    tags: dict[str, int] | None = None,
    aspect: Fraction | None = None,
    language: str | None = None,
    title: str | None = None,
    container: dict[str, str] | None = None,
) -> Path:
    """Write a clip. ``stamps`` are the frames' times in ticks of ``time_base``; else they are evenly spaced."""
    base = time_base or 1 / Fraction(rate)
    stamps = stamps if stamps is not None else [round(i / Fraction(rate) / base) for i in range(frames)]
    with av.open(str(path), "w", options=container or {}) as file:
        if title:
            file.metadata["title"] = title
        fine = {"crf": "10"} if codec in ("libx264", "libx265") else {}
        video = file.add_stream(codec, rate=rate, options={**fine, **(options or {})})
        video.width, video.height, video.pix_fmt = size[0], size[1], pixel_format
        video.codec_context.time_base = video.time_base = base
        for name, value in (tags or {}).items():
            setattr(video.codec_context, name, value)
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        sound = None
        if audio:
            sound = file.add_stream(audio, rate=48000, layout="mono")
            if language:
                sound.metadata["language"] = language
        text = None
        if subtitles:
            text = file.add_mux_stream("mov_text" if path.suffix == ".mp4" else "subrip")
            text.time_base = Fraction(1, 1000)
        if chapters:
            file.set_chapters(
                [
                    {
                        "id": index,
                        "start": round(start * 1000),
                        "end": round(end * 1000),
                        "time_base": Fraction(1, 1000),
                        "metadata": {"title": name},
                    }
                    for index, (start, end, name) in enumerate(chapters)
                ]
            )
        length = (stamps[-1] + (stamps[-1] - stamps[-2] if len(stamps) > 1 else 1)) * base
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(draw(number, *size)), format="rgb24")
            frame = frame.reformat(format=pixel_format, **_matrix(tags))
            for name, value in (tags or {}).items():
                setattr(frame, name, value)
            frame.pts, frame.time_base = stamp, base
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if sound is not None:
            _write_tone(file, sound, float(length))
        for start, end, words in subtitles or []:
            data = words.encode()
            packet = av.Packet(len(data).to_bytes(2, "big") + data if path.suffix == ".mp4" else data)
            packet.pts = packet.dts = round(start * 1000)
            packet.duration, packet.time_base, packet.stream = round((end - start) * 1000), Fraction(1, 1000), text
            file.mux_one(packet)
    return path


def _matrix(tags: dict[str, int] | None) -> dict[str, int]:
    if not tags:
        return {}
    scaler = {1: 1, 5: 5, 6: 5, 9: 9}
    given = {}
    if "colorspace" in tags:
        given["dst_colorspace"] = scaler[tags["colorspace"]]
    if "color_range" in tags:
        given |= {"dst_color_range": tags["color_range"], "src_color_range": 2}
    return given


def _write_tone(file: Any, stream: Any, seconds: float) -> None:
    count = stream.codec_context.frame_size or 1024
    time = np.arange(int(seconds * 48000)) / 48000
    wave = (np.sin(2 * np.pi * (200 * time + 300 * time**2)) * 0.3).astype(np.float32)  # rises: no two places are alike
    for start in range(0, len(wave), count):
        part = wave[start : start + count]
        if stream.codec_context.format.name.startswith("s16"):
            data = (part * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(data[None], format="s16", layout="mono")
        else:
            frame = av.AudioFrame.from_ndarray(part[None], format="fltp", layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = start, 48000, Fraction(1, 48000)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


def read_clip(path: Path) -> Clip:
    """Everything about a file."""
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        pixels, times, numbers = [], [], []
        first = None
        for frame in file.decode(video):
            first = first or frame
            deep = any(part.bits > 8 for part in frame.format.components)
            array = frame.to_ndarray(format="rgb48le" if deep else "rgb24")
            pixels.append(array)
            numbers.append(number_of(array))
            times.append(frame.pts * frame.time_base)
        context = video.codec_context
        stream = {
            "colorspace": context.colorspace,
            "color_range": context.color_range,
            "color_primaries": context.color_primaries,
            "color_trc": context.color_trc,
            "aspect": video.sample_aspect_ratio,
            "tag": video.codec_tag,
            "side": {one.type.name: bytes(one) for one in first.side_data if one.type.name != "SEI_UNREGISTERED"}
            if first is not None
            else {},
            "audio_languages": [one.metadata.get("language") for one in file.streams.audio],
        }
        chapters = [
            (one["start"] * one["time_base"], one["end"] * one["time_base"], one["metadata"].get("title", ""))
            for one in file.chapters()
        ]
        metadata = dict(file.metadata)
        name, size, pixel_format = context.name, (context.width, context.height), context.pix_fmt
    return Clip(
        codec=name,
        size=size,
        pixel_format=pixel_format or "",
        times=times,
        numbers=numbers,
        pixels=pixels,
        audio=_packets(path, "audio"),
        subtitles=[(time, _text(data)) for time, data in _packets(path, "subtitle") if _text(data)],
        chapters=chapters,
        metadata=metadata,
        stream=stream,
    )


def _packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as file:
        streams = [one for one in file.streams if one.type == kind]
        if not streams:
            return []
        return [(one.pts * one.time_base, bytes(one)) for one in file.demux(*streams) if one.size]


def _text(data: bytes) -> str:
    if len(data) >= 2 and int.from_bytes(data[:2], "big") == len(data) - 2:
        data = data[2:]
    return data.decode("utf-8", "replace").strip("\0")


def sound_of(path: Path) -> np.ndarray:
    """The first sound track as ``float32`` samples, 48,000 a second; silence where nothing is said."""
    with av.open(str(path)) as file:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000)
        samples = np.zeros(48000 * 10, np.float32)
        for frame in file.decode(audio=0):
            for part in resampler.resample(frame):
                first = round(part.pts * part.time_base * 48000)
                values = part.to_ndarray()[0][max(0, -first) :]
                samples[max(0, first) : max(0, first) + len(values)] = values
    return samples


def turned(path: Path, target: Path, degrees: int) -> Path:
    """A copy of an MP4 whose header says that players must turn it clockwise by ``degrees``, as phones record."""
    data = bytearray(path.read_bytes())
    where = data.index(b"tkhd") + 4
    version = data[where]
    matrix = where + (40 if version == 0 else 52)
    one = 65536
    values = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}[degrees]
    for offset, value in zip((0, 4, 12, 16), values, strict=True):
        data[matrix + offset : matrix + offset + 4] = value.to_bytes(4, "big", signed=True)
    target.write_bytes(data)
    return target


def moved(source: Path, target: Path, video: float = 0.0, audio: float = 0.0) -> Path:
    """The same packets, each stream that many seconds later; negative: earlier, in MP4 before the beginning."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        streams = {stream.index: after.add_stream_from_template(stream) for stream in before.streams}
        for packet in before.demux():
            if packet.dts is None:
                continue
            seconds = video if packet.stream.type == "video" else audio
            ticks = round(seconds / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream.index]
            after.mux(packet)
    return target
