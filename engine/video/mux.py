"""The output file: finished segments joined without decoding, sound, subtitles and chapters copied from the input."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING

from engine.video.encoder import PLACE_BASE
from engine.video.segments import Segment
from engine.video.tracks import FORMAT_TAGS, TrackWish, open_tracks, track_packets
from utils.errors import OutputError
from utils.files import replaced
from utils.video_containers import opened

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet


@dataclass(frozen=True)
class MuxPlan:
    """What goes into the output.

    Attributes:
        source: the film whose sound, subtitles and chapters are taken; None where there is none.
        kind: FFmpeg's name of the container.
        rate: frames a second, for containers that tell their players beforehand; None = unknown.
        shift: ticks of ``time_base`` by which everything comes earlier than in the input.
        first: seconds (as the input's time stamps count) from which the other streams are taken; None = the beginning.
        last: seconds at which they end; None = the end.
        comment: the settings, for the output's metadata.
    """

    source: Path | None
    kind: str
    time_base: Fraction
    rate: Fraction | None = None
    shift: int = 0
    first: Fraction | None = None
    last: Fraction | None = None
    audio: bool = True
    subtitles: bool = True
    comment: str | None = None

    @property
    def wish(self) -> TrackWish:
        """What is to become of the input's other streams."""
        return TrackWish(
            self.kind, self.shift * self.time_base, self.first, self.last, audio=self.audio, subtitles=self.subtitles
        )


def join(segments: Sequence[Segment], paths: Sequence[Path], plan: MuxPlan, output: Path) -> list[str]:
    """Write the output; it appears whole or not at all. Returns warnings.

    Raises ``OutputError``.
    """
    import av

    warnings: list[str] = []
    with replaced(output) as temporary:
        try:
            with (
                nullcontext() if plan.source is None else opened(plan.source) as source,
                opened(paths[0]) as first,
                av.open(str(temporary), "w", format=plan.kind, options=_muxer_options(plan, source)) as target,
            ):
                _write(target, source, first, segments, paths, plan, warnings)
        except av.FFmpegError as error:
            text = getattr(error, "strerror", None) or error
            raise OutputError(f"'{output}' cannot be written as {plan.kind.upper()}: {text}.") from error
    return warnings


def _muxer_options(plan: MuxPlan, source: InputContainer | None) -> dict[str, str]:
    if plan.kind not in ("mp4", "mov"):
        return {}
    # The index at the front: players can begin before they have all. Late starts are counted in the movie's time scale,
    # so it has to hold the ticks of every stream for them to be exact.
    scale = plan.time_base.denominator
    for stream in source.streams if source is not None else ():
        if stream.type == "audio" and stream.time_base:
            scale = lcm(scale, stream.time_base.denominator)
    if scale >= 2**31:
        scale = min(plan.time_base.denominator, 2**31 - 1)
    # Apple's own tags need another kind of table, which other players do not read.
    apple = plan.kind == "mov" and source is not None and any(key.startswith("com.apple.") for key in source.metadata)
    flags = "+faststart+use_metadata_tags" if apple else "+faststart"
    return {"movflags": flags, "movie_timescale": str(max(1000, scale))}


def _write(
    target: OutputContainer,
    source: InputContainer | None,
    first: InputContainer,
    segments: Sequence[Segment],
    paths: Sequence[Path],
    plan: MuxPlan,
    warnings: list[str],
) -> None:
    if source is not None:
        target.metadata.update({key: value for key, value in source.metadata.items() if key.lower() not in FORMAT_TAGS})
    if plan.comment:
        target.metadata["comment"] = plan.comment
    # Opaque: a copy of the parameters. Else the decoder's name (libdav1d) would be looked up among the encoders.
    video = target.add_stream_from_template(first.streams.video[0], opaque=True)
    video.time_base = plan.time_base
    if plan.rate is not None:
        video.codec_context.framerate = plan.rate  # else Matroska would announce a frame for each of its own ticks
    if plan.kind in ("mp4", "mov") and first.streams.video[0].codec_context.name == "hevc":
        video.codec_context.codec_tag = "hvc1"  # Apple's players know no other
    own = ((time, packet) for time, packet in _video_packets(segments, paths, plan, video))
    others: Iterator[tuple[Fraction, Packet]] = iter(())
    if source is not None:
        tracks = open_tracks(target, source, plan.wish, warnings)
        _copy_attachments(target, source, plan)
        _copy_chapters(target, source, plan)
        others = track_packets(source, tracks, plan.wish)
    left_out = 0
    for _, packet in heapq.merge(own, others, key=lambda pair: pair[0]):
        left_out += not _muxed(target, packet, packet.stream is video)
    if left_out:
        warnings.append(f"{left_out} packets of the input's sound or subtitles are damaged; they were left out.")


def _muxed(target: OutputContainer, packet: Packet, needed: bool) -> bool:
    """Hand a packet over; False where it is one that can be done without and is damaged."""
    import av

    try:
        target.mux_one(packet)
    except (av.error.InvalidDataError, av.error.ArgumentError):
        if needed:
            raise
        return False
    return True


def _video_packets(
    segments: Sequence[Segment], paths: Sequence[Path], plan: MuxPlan, stream: VideoStream
) -> Iterator[tuple[Fraction, Packet]]:
    """All packets in decoding order. Decoding times are made anew, rising across the joints: those of the encoder
    begin before zero in every segment."""
    stamps = array("q", (stamp - plan.shift for segment in segments for stamp in segment.stamps))
    delay = max(segment.reorder for segment in segments)
    last = segments[-1].last_duration
    index = 0
    for segment, path in zip(segments, paths, strict=True):
        with opened(path) as container:
            for packet in container.demux(video=0):
                if packet.dts is None:
                    continue
                assert packet.pts is not None and packet.time_base is not None
                pts = segment.stamps[round(packet.pts * packet.time_base / PLACE_BASE)] - plan.shift
                packet.pts = pts
                packet.dts = _decoding_time(stamps, index, delay)
                packet.duration = _shown_for(stamps, pts, last)
                packet.time_base = plan.time_base
                packet.stream = stream
                yield packet.dts * plan.time_base, packet
                index += 1
    if index != len(stamps):
        raise OutputError(f"The finished parts hold {index} frames instead of {len(stamps)}; run again from the start.")


def _decoding_time(stamps: array[int], index: int, delay: int) -> int:
    """When the packet at ``index`` has to be decoded: ``delay`` frames before frames are shown in that order."""
    if index >= delay:
        return stamps[index - delay]
    if delay < len(stamps):
        return stamps[index] - (stamps[delay] - stamps[0])
    return stamps[0] - (delay - index)


def _shown_for(stamps: array[int], pts: int, last: int) -> int:
    from bisect import bisect_right

    following = bisect_right(stamps, pts)
    return stamps[following] - pts if following < len(stamps) else max(1, last)


def _copy_attachments(target: OutputContainer, source: InputContainer, plan: MuxPlan) -> None:
    """Fonts of subtitles; only Matroska holds them."""
    from av.stream import AttachmentStream

    if plan.kind != "matroska" or not plan.subtitles:
        return
    for stream in source.streams:
        if isinstance(stream, AttachmentStream):
            kind = stream.mimetype or "application/octet-stream"
            target.add_attachment(stream.name or "attachment", kind, stream.data)


def _copy_chapters(target: OutputContainer, source: InputContainer, plan: MuxPlan) -> None:
    """Chapters, cut to the range and moved with it."""
    chapters = []
    shift = plan.shift * plan.time_base
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        start, end = chapter["start"] * base, chapter["end"] * base
        if (plan.last is not None and start >= plan.last) or (plan.first is not None and end <= plan.first):
            continue
        start, end = max(start, plan.first or start), min(end, plan.last or end)
        chapters.append(
            {**chapter, "start": round((start - shift) / base), "end": round((end - shift) / base), "time_base": base}
        )
    if chapters:
        target.set_chapters(chapters)  # type: ignore[arg-type]


__all__ = ["MuxPlan", "join"]
