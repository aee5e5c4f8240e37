"""Moving a finished result's fidelity without running the network again, in bands, file to file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.faces.layer import FaceLayer, keep_layer, load_layer
from engine.faces.paste import FacePaster
from engine.imaging.document import is_document
from engine.imaging.pipeline import bled, blend_with_source
from engine.imaging.task import limits_of, save_options
from engine.pixels.normals import unit_vectors
from engine.pixels.resample import from_full_scale, to_full_scale
from engine.pixels.sizing import SizePlan, plan_size
from engine.pixels.tiling import FULL_SCALE
from engine.storage.output_names import output_format
from engine.types import EnhanceSettings
from utils import image_io
from utils.engine_config import EngineConfig
from utils.errors import InvalidSettingsError
from utils.json_types import JsonObject
from utils.metadata import read_comment
from utils.picture import Picture, crop
from utils.writers import DEEP_FORMATS, open_writer

MOST = 0.9
"""From a result with more of the original in it than this, the network's own picture cannot be got back."""
_ROWS = 512
_UNLIMITED = image_io.ImageLimits(10**13, 10**12, 10**13)


def can_readjust(settings: EnhanceSettings, frames: int = 1) -> bool:
    """Whether a result made with these settings can be moved afterwards; with faces, if they are still remembered.

    Of a normal map only what holds nothing of the original: its vectors were mixed before they were made longer.
    """
    most = 0.0 if settings.normal_map else MOST
    return frames == 1 and settings.fidelity <= most and settings.max_megabytes is None


def readjust_fidelity(
    result: Path | str,
    original: Path | str,
    settings: EnhanceSettings,
    fidelity: float,
    output_path: Path | str,
    *,
    config: EngineConfig,
) -> EnhanceSettings:
    """Write a finished result anew with another share of the plainly resized input.

    A smaller share than the result was made with is got back by calculation; the more of the original was in it, the
    coarser (one step of 255 at a share of 0.5). Lossy formats lose a little at every encoding. Restored faces are taken
    off before and pasted again afterwards, as in a run, and can be adjusted in the new file too.

    Args:
        result: the file that ``enhance_file`` wrote for ``original`` with ``settings``.
        fidelity: the wanted share, 0..1.
        output_path: another file than ``result``.
        config: limits, and ``cache_dir``, where the faces of recent results are kept.

    Returns:
        The settings with the new fidelity.

    Raises:
        InvalidSettingsError: the share is outside 0..1, or the result does not allow it (see ``can_readjust``).
        EngineError: a file cannot be read or written.
    """
    if not 0 <= fidelity <= 1:
        raise InvalidSettingsError(f"fidelity must be between 0 and 1 (given: {fidelity}).")
    if not can_readjust(settings):
        raise InvalidSettingsError("This result holds too much of the original to be moved back; run it again.")
    result, target = Path(result), Path(output_path)
    if is_document(image_io.probe(original, limits_of(config, settings)), settings, result):
        raise InvalidSettingsError("The fidelity of a document's pages cannot be moved afterwards; run it again.")
    enhanced = image_io.load(result, _UNLIMITED)
    source = image_io.load(original, limits_of(config, settings))
    layer = _faces_of(result, enhanced, settings, config.cache_dir)
    share = (fidelity - settings.fidelity) / (1 - settings.fidelity)
    lifted = enhanced if layer is None else layer.lifted(enhanced)
    bands = blended(
        lifted, source, plan_size(*source.size, settings, max_output_pixels=10**12), share, settings.normal_map
    )
    paster = None if layer is None else FacePaster.over(layer.clusters, channels=enhanced.pixels.shape[2])
    changed = settings.but(fidelity=fidelity)
    kind = output_format(settings, result.suffix.lstrip("."), target)
    options = save_options(changed, kind, source.metadata.missing_percent)
    depth = enhanced.bit_depth if options.format in DEEP_FORMATS else 8
    with open_writer(target, *enhanced.size, enhanced.channels, depth, enhanced.metadata, options) as writer:
        for band in bands if paster is None else paster.bands(bands):
            writer.write(from_full_scale(band, depth))
        writer.commit()
    if layer is not None and paster is not None:
        kept = replace(layer, clusters=tuple(paster.clusters), save=options)
        keep_layer(kept, target, Path(config.cache_dir), depth)
    return changed


def blended(
    enhanced: Picture, source: Picture, plan: SizePlan | None, share: float, normal_map: bool = False
) -> Iterator[np.ndarray]:
    """The ``uint16`` bands of a result mixed with its plainly resized input, as ``PicturePipeline`` mixes them.

    Args:
        source: the whole input, uncropped.
        plan: of the run; None where it neither cropped nor padded. What "pad" added around the picture stays.

    Raises:
        InvalidSettingsError: the two cannot be a result and its input.
    """
    convert = _conversion(source.channels, enhanced.channels)
    original = bled(source if plan is None else crop(source, plan.crop)).interleaved()
    return _bands(enhanced, original, plan, share, convert, normal_map)


def _bands(
    enhanced: Picture,
    original: np.ndarray,
    plan: SizePlan | None,
    share: float,
    convert: Callable[[np.ndarray], np.ndarray],
    normal_map: bool,
) -> Iterator[np.ndarray]:
    pixels = enhanced.interleaved()
    padded = plan is not None and plan.canvas != plan.content and enhanced.size == plan.canvas
    (left, top), size = (plan.offset, plan.content) if plan is not None and padded else ((0, 0), enhanced.size)
    inside = (slice(top, top + size[1]), slice(left, left + size[0]))
    content = pixels[inside]

    def given() -> Iterator[np.ndarray]:
        for row in range(0, size[1], _ROWS):
            yield to_full_scale(content[row : row + _ROWS])

    mixed = blend_with_source(given(), original, size, share, convert)
    if normal_map:
        mixed = unit_vectors(mixed)
    if not padded:
        yield from mixed
        return
    canvas = to_full_scale(pixels).copy()
    canvas[inside] = np.concatenate(list(mixed))
    yield canvas


def _conversion(source: int, result: int) -> Callable[[np.ndarray], np.ndarray]:
    """What the format did to the channels: WebP has no gray, AVIF none with transparency, JPEG no transparency."""
    if source == result:
        return to_full_scale
    if result in (1, 3) and source == result + 1:
        return _on_white
    if (source, result) in ((1, 3), (2, 4)):
        return _colored
    if (source, result) == (2, 3):
        return lambda rows: _colored(_on_white(rows))
    raise InvalidSettingsError("The two pictures have different channels; they are not a result and its input.")


def _on_white(rows: np.ndarray) -> np.ndarray:
    """``(n, W, C + 1) uint16`` without its transparency, as on paper."""
    seen = rows[..., -1:].astype(np.float32) / FULL_SCALE
    return np.rint(rows[..., :-1] * seen + FULL_SCALE * (1 - seen)).astype(np.uint16)


def _colored(rows: np.ndarray) -> np.ndarray:
    """Gray ``(n, W, 1 or 2) uint16`` as RGB; transparency stays last."""
    return np.concatenate([np.repeat(rows[..., :1], 3, axis=2), rows[..., 1:]], axis=2)


def _faces_of(
    result: Path, enhanced: Picture, settings: EnhanceSettings, cache_dir: Path | str | None
) -> FaceLayer | None:
    """The faces that were pasted into the result; None where none were asked for."""
    layer = None if cache_dir is None else load_layer(result, Path(cache_dir))
    if layer is not None and layer.size == enhanced.size:
        return layer
    if settings.face_enhance or _embedded(result, enhanced).get("face_enhance"):
        raise InvalidSettingsError(
            f"The restored faces of '{result}' are no longer remembered, and would be lost; run it again with the "
            "fidelity that you want."
        )
    return None


def _embedded(result: Path, enhanced: Picture) -> JsonObject:
    """The settings that a run wrote into its result's metadata; empty where there are none."""
    from PIL import Image

    try:
        if enhanced.metadata.source_format == "png":
            with Image.open(result) as image:
                comment = image.info.get("parameters")
        else:
            comment = read_comment(enhanced.metadata.exif)
        found = json.loads(comment or "{}")
    except (OSError, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


__all__ = ["MOST", "blended", "can_readjust", "readjust_fidelity"]
