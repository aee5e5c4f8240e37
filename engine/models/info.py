"""What a network needs and gives, as read from its checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from utils.json_types import JsonObject


@dataclass(frozen=True)
class CheckpointInfo:
    """What a network needs and gives.

    Attributes:
        architecture: the family's name.
        kind: "upscale" (scale 1 included), "face", or "other".
        scale: output side / input side.
        parameters: number of weights.
        multiple_of: the input's sides must be multiples of this.
        minimum_size: smallest input side.
        receptive_radius: input pixels on each side that an output pixel depends on, where that is small enough to be
            covered exactly; else None.
        global_pools: layers that take a mean over the whole picture (squeeze-excite); tiles of it must share those
            means (``engine.pixels.pooling``).
    """

    architecture: str
    kind: str
    scale: int
    in_channels: int
    out_channels: int
    parameters: int
    multiple_of: int = 1
    minimum_size: int = 1
    receptive_radius: int | None = None
    supports_half: bool = True
    supports_bfloat16: bool = True
    global_pools: int = 0

    def to_json(self) -> JsonObject:
        """The fields as JSON values; ``from_json`` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: JsonObject) -> CheckpointInfo:
        """Raises ``TypeError`` when the values are of another version."""
        return cls(**values)
