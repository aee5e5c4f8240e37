"""Sound and subtitles on their way from the input to the output: copied, or changed where a container asks for it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from engine.video.subtitles import Convert, converter

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

logger = logging.getLogger(__name__)

FORMAT_TAGS = frozenset(("encoder", "major_brand", "minor_version", "compatible_brands", "duration"))
"""Metadata that speaks of the input's container, not of its content."""
_SoundEncoder = Literal["aac", "libopus"]
_INSTEAD: dict[str, _SoundEncoder] = {"mp4": "aac", "mov": "aac", "matroska": "libopus", "webm": "libopus"}
"""Container -> encoder for sound that it cannot hold."""
_REFUSED = {"mov": ("flac", "opus")}
"""Container -> sound that FFmpeg lists for it and then refuses."""
_PRIMING = Fraction(1, 10)
"""Seconds of hidden sound before the beginning that decoders need to warm up."""
_BITS_A_CHANNEL = 96_000
_LEAD, _LONGEST_TEXT = 5, 30
"""Seconds before a range from which sound, and subtitles that may still be showing at its beginning, are read."""


@dataclass(frozen=True)
class TrackWish:
    """What is to become of the other streams.

    Attributes:
        kind: FFmpeg's name of the output's container.
        shift: seconds by which everything comes earlier.
        first, last: seconds (as the input's time stamps count) from which and up to which packets are taken.
    """

    kind: str
    shift: Fraction = Fraction(0)
    first: Fraction | None = None
    last: Fraction | None = None
    audio: bool = True
    subtitles: bool = True


class _Track(ABC):
    """One stream. ``stream`` is its place in the output."""

    stream: Stream

    @abstractmethod
    def take(self, packet: Packet) -> Iterator[Packet]:
        """Packets of the output for one of the input."""

    def finish(self) -> Iterator[Packet]:
        """What is left at the end."""
        return iter(())


class _Copied(_Track):
    """Packets as they are, or as ``convert`` makes them."""

    def __init__(self, stream: Stream, shift: Fraction, convert: Convert | None = None) -> None:
        self.stream, self._shift, self._convert = stream, shift, convert

    def take(self, packet: Packet) -> Iterator[Packet]:
        made = packet if self._convert is None else self._convert(packet)
        if made is None:
            return
        moved = round(self._shift / (made.time_base or Fraction(1, 1000)))
        made.pts = None if made.pts is None else made.pts - moved
        made.dts = made.pts if made.dts is None else made.dts - moved
        made.stream = self.stream
        yield made


class _Encoded(_Track):
    """Sound encoded anew."""

    stream: AudioStream

    def __init__(self, target: OutputContainer, source: AudioStream, encoder: _SoundEncoder, shift: Fraction) -> None:
        import av

        context = source.codec_context
        channels = context.layout.nb_channels
        layout = context.layout.name if channels <= 2 else "5.1" if channels >= 6 else "stereo"
        rate = 48_000 if encoder == "libopus" else min(context.sample_rate, 48_000)
        self.stream = target.add_stream(encoder, rate=rate, layout=layout)
        self.stream.bit_rate = _BITS_A_CHANNEL * (2 if layout == "stereo" else min(channels, 6))
        self._shift = shift
        self._resampler: AudioResampler | None = None
        self._make = lambda: av.AudioResampler(
            format=self.stream.codec_context.format.name,
            layout=layout,
            rate=rate,
            frame_size=self.stream.codec_context.frame_size or None,
        )

    def take(self, packet: Packet) -> Iterator[Packet]:
        import av

        sound: Packet[AudioStream] = packet
        try:
            frames = sound.decode()
        except av.FFmpegError as error:
            logger.warning("Some sound cannot be decoded: %s", error)
            return
        for frame in frames:
            yield from self._encode(frame)

    def finish(self) -> Iterator[Packet]:
        if self._resampler is not None:
            yield from self._encode(None)
            yield from self._moved(self.stream.encode(None))

    def _encode(self, frame: AudioFrame | None) -> Iterator[Packet]:
        if self._resampler is None:
            self.stream.codec_context.open(strict=False)
            self._resampler = self._make()
        for part in self._resampler.resample(frame):
            yield from self._moved(self.stream.encode(part))

    def _moved(self, packets: list[Packet]) -> Iterator[Packet]:
        for packet in packets:
            moved = round(self._shift / (packet.time_base or Fraction(1, 48_000)))
            packet.pts = None if packet.pts is None else packet.pts - moved
            packet.dts = packet.pts if packet.dts is None else packet.dts - moved
            yield packet


def open_tracks(
    target: OutputContainer, source: InputContainer, wish: TrackWish, warnings: list[str]
) -> dict[int, _Track]:
    """Places in the output for the input's sound and subtitles, by the input's stream index."""
    from av import AudioStream

    tracks: dict[int, _Track] = {}
    for stream in source.streams:
        track = None
        if isinstance(stream, AudioStream) and wish.audio:
            track = _open_sound(target, stream, wish, warnings)
        elif stream.type == "subtitle" and wish.subtitles:
            track = _open_subtitles(target, stream, wish, warnings)
        if track is not None:
            _keep_words(track.stream, stream)
            tracks[stream.index] = track
    if len([one for one in source.streams.video if not _is_cover(one)]) > 1:
        warnings.append("Only the first of several video tracks was enhanced and kept.")
    return tracks


def _open_sound(target: OutputContainer, stream: AudioStream, wish: TrackWish, warnings: list[str]) -> _Track | None:
    name = _canonical(stream)
    if name in target.supported_codecs and name not in _REFUSED.get(wish.kind, ()):
        made = target.add_stream_from_template(stream, opaque=True)
        made.time_base = stream.time_base
        return _Copied(made, wish.shift)
    encoder = _INSTEAD.get(wish.kind)
    if encoder is None or stream.codec_context is None or not stream.codec_context.sample_rate:
        warnings.append(f"Sound track {stream.index} ({name}) cannot be kept in this container.")
        return None
    codec = "Opus" if encoder == "libopus" else "AAC"
    warnings.append(f"Sound track {stream.index} ({name}) cannot be kept in this container; it was encoded as {codec}.")
    return _Encoded(target, stream, encoder, wish.shift)


def _open_subtitles(target: OutputContainer, stream: Stream, wish: TrackWish, warnings: list[str]) -> _Track | None:
    name = _canonical(stream)
    codec, convert = converter(name, wish.kind)
    if codec is None:
        warnings.append(f"Subtitle track {stream.index} ({name}) cannot be kept in this container; .mkv holds it.")
        return None
    made: Stream
    if convert is None:
        made = target.add_stream_from_template(stream, opaque=True)
    else:
        made = target.add_mux_stream(codec)
    made.time_base = stream.time_base
    return _Copied(made, wish.shift, convert)


def _keep_words(made: Stream, stream: Stream) -> None:
    """Language, title, and whether the track is the default one."""
    made.metadata.update({key: value for key, value in stream.metadata.items() if key.lower() not in FORMAT_TAGS})
    try:
        made.disposition = stream.disposition
    except (AttributeError, TypeError, ValueError):
        logger.debug("Disposition of stream %d not kept", stream.index)


def _canonical(stream: Stream) -> str:
    """The codec's name behind a decoder's: ``libopus`` and ``mp3float`` are ``opus`` and ``mp3``."""
    import av

    name = stream.codec_context.name if getattr(stream, "codec_context", None) else "unknown"
    try:
        return str(av.Codec(name, "r").canonical_name)
    except (av.FFmpegError, ValueError, AttributeError):
        return str(name)


def _is_cover(stream: Stream) -> bool:
    import av

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def track_packets(
    source: InputContainer, tracks: dict[int, _Track], wish: TrackWish
) -> Iterator[tuple[Fraction, Packet]]:
    """(decoding time, packet of the output), in the input's order, cut to the range and moved with it."""
    streams = [source.streams[index] for index in tracks]
    if not streams:
        return
    texts = {stream.index for stream in streams if stream.type == "subtitle"}
    if wish.first is not None:
        _seek(source, float(wish.first) - (_LONGEST_TEXT if texts else _LEAD))
    ended: set[int] = set()
    for packet in _demuxed(source, streams):
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or (packet.size == 0 and packet.dts is None):
            continue
        time, index = stamp * (packet.time_base or Fraction(1, 1000)), packet.stream_index
        if packet.is_discard and time < -_PRIMING:
            continue  # hidden by an edit list, which not every container has: there it would be heard
        if wish.first is not None and time < wish.first:
            if index not in texts or not _shown_from(packet, wish.first):
                continue
            time = wish.first
        if wish.last is not None and time >= wish.last:
            ended.add(index)
            if len(ended) == len(tracks):
                break
            continue
        yield from map(_timed, tracks[index].take(packet))
    for track in tracks.values():
        yield from map(_timed, track.finish())


def _shown_from(packet: Packet, first: Fraction) -> bool:
    """Let a subtitle that is showing at ``first`` begin there; False where it has ended by then."""
    base = packet.time_base or Fraction(1, 1000)
    begin = round(first / base)
    left = (packet.pts or 0) + (packet.duration or 0) - begin
    if packet.pts is None or left <= 0:
        return False
    packet.pts = packet.dts = begin
    packet.duration = left
    return True


def _timed(packet: Packet) -> tuple[Fraction, Packet]:
    return (packet.dts or 0) * (packet.time_base or Fraction(1, 1000)), packet


def _seek(source: InputContainer, seconds: float) -> None:
    """Go there where the container can; from the beginning it only takes longer."""
    import av

    try:
        source.seek(round(max(0.0, seconds) * 1_000_000))
    except av.FFmpegError:
        logger.debug("'%s' cannot seek", source.name)


def _demuxed(source: InputContainer, streams: list[Stream]) -> Iterator[Packet]:
    """Packets until the end, or until where a damaged file cannot be read any further."""
    import av

    packets = source.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            logger.warning("The input's other streams end early: %s", error)
            return
        if packet is None:
            return
        yield packet


__all__ = ["FORMAT_TAGS", "TrackWish", "open_tracks", "track_packets"]
