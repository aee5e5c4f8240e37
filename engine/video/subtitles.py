"""Text subtitles between the forms that containers hold; the words and their times stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet

Convert = Callable[["Packet"], "Packet | None"]

_NATIVE = {
    "mp4": ("mov_text",),
    "mov": ("mov_text",),
    "matroska": ("subrip", "ass", "ssa", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "text"),
    "webm": ("webvtt",),
}
_PLAIN = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_TEXTS = frozenset(("mov_text", "subrip", "text", "webvtt", "ass", "ssa"))
_OVERRIDE = re.compile(r"\{[^}]*\}")
_TAG = re.compile(r"</?(?:b|i|u|s|font)[^>]*>", re.IGNORECASE)


def converter(codec: str, kind: str) -> tuple[str | None, Convert | None]:
    """(codec in the output, how packets become it). No codec: it cannot be kept. No function: packets are copied.

    Args:
        codec: of the input's track, as FFmpeg calls it.
        kind: FFmpeg's name of the output's container.
    """
    if codec in _NATIVE.get(kind, ()):
        return codec, None
    wish = _PLAIN.get(kind)
    if codec not in _TEXTS or wish is None:
        return None, None

    def convert(packet: Packet) -> Packet | None:
        import av

        text = _words(bytes(packet), codec)
        if not text:
            return None
        if wish == "mov_text":
            text = _TAG.sub("", text)
        data = text.encode("utf-8")
        if wish == "mov_text":
            data = len(data[:65535]).to_bytes(2, "big") + data[:65535]
        made = av.Packet(data)
        made.pts, made.dts, made.duration, made.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
        return made

    return wish, convert


def _words(data: bytes, codec: str) -> str:
    """The text of one packet, lines separated by line feeds; position and colour are left out."""
    if codec == "mov_text":
        length = int.from_bytes(data[:2], "big")
        return data[2 : 2 + length].decode("utf-8", "replace").strip()
    text = data.decode("utf-8", "replace")
    if codec in ("ass", "ssa"):
        # ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text
        text = text.split(",", 8)[-1]
        text = _OVERRIDE.sub("", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    return text.strip()


__all__ = ["Convert", "converter"]
