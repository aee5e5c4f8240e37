"""ncnn on Vulkan: right numbers, smaller tiles where memory runs out, never a software device unasked.

Mesa's software Vulkan (``apt-get install mesa-vulkan-drivers``) serves where there is no graphics card.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine.backends import get_backend
from engine.backends.self_test import BackendChooser, psnr
from engine.backends.vulkan_choice import VulkanChoice
from engine.imaging.upscaler import Upscaler
from engine.machine.report import machine_facts
from engine.model_manager import ModelManager
from engine.pixels.tiling import TileOutOfMemory
from engine.storage.json_store import JsonStore
from engine.types import EnhanceSettings
from tests.engine.backends.test_openvino_graphs import picture
from utils.errors import BackendError
from utils.vulkan import VulkanDevice, vulkan_devices, vulkan_hardware

needs_vulkan = pytest.mark.skipif(
    not vulkan_devices(), reason="no Vulkan device: no graphics card, and no software driver (mesa-vulkan-drivers)"
)
DEVICE = "vulkan:0"


@pytest.fixture
def source(weights, manager):
    """What backends get of one of the tiny networks, or of one that came with the set-up."""
    real = ModelManager(cache_dir=None, optimize=False, device="cpu")

    def make(name: str):
        return (manager if name in manager.present() else real).source(name)

    return make


@needs_vulkan
@pytest.mark.parametrize("name", ["tiny-x4", "tiny-x2", "rrdb-x4", "rrdb-x2", "realesr-animevideov3", "spanx4_ch48"])
def test_fp32_is_right_and_fp16_is_near(source, name):
    network = source(name)
    pixels = picture()[None].astype(np.float32) / 255
    expected = np.clip(get_backend("openvino").open(network, "cpu", "fp32", None).infer(pixels), 0, 1)
    for precision, least in (("fp32", None), ("fp16", 40.0)):
        session = get_backend("ncnn").open(network, DEVICE, precision, None)
        result = np.clip(session.infer(pixels), 0, 1)
        session.close()
        if least is None:
            assert np.abs(result - expected).max() < 1 / 255
        else:
            assert psnr(result, expected) > least


@needs_vulkan
def test_a_picture_goes_through_the_device_that_is_named(manager, config, scene, tmp_path):
    from engine.processor import enhance_file

    Image.fromarray(scene).save(tmp_path / "in.png")
    settings = EnhanceSettings(model="tiny-x4", scale=4, device=DEVICE)
    result = enhance_file(tmp_path / "in.png", tmp_path / "out.png", settings, manager=manager, config=config)
    assert (result.backend, result.device, result.output_size) == ("ncnn", DEVICE, (480, 360))


@needs_vulkan
def test_a_backend_that_is_named_runs_on_a_device_of_its_own(weights):
    manager = ModelManager({}, weights, bundled_dir=None, optimize=False)
    assert manager.load_model("tiny-x4", backend="ncnn").session.device == DEVICE
    assert manager.load_model("tiny-x4", backend="openvino").session.device == "cpu"


@needs_vulkan
def test_tiles_shrink_where_the_card_has_no_memory_for_them(source, scene):
    session = get_backend("ncnn").open(source("tiny-x4"), DEVICE, "fp32", None)
    plain, sizes = session._net.create_extractor, []

    class Full:
        """An extractor of a card that has room for 64 pixels a side."""

        def __init__(self):
            self._real = plain()

        def input(self, name, mat):
            sizes.append((mat.h, mat.w))
            return self._real.input(name, mat)

        def extract(self, name):
            return (-100, None) if max(sizes[-1]) > 64 else self._real.extract(name)

    class Net:
        create_extractor = staticmethod(Full)
        clear = staticmethod(session._net.clear)

    whole = session.infer(scene[None].astype(np.float32) / 255)[0]
    session._net = Net
    with pytest.raises(TileOutOfMemory):
        session.infer(scene[None].astype(np.float32) / 255)
    info = source("tiny-x4").info
    upscaler = Upscaler(session, info, tile=0, smallest_tile=32)
    bands = np.concatenate(list(upscaler.bands(scene, upscaler.plan(scene.shape[1], scene.shape[0]))))
    assert upscaler.limit.shrunk > 0
    assert np.abs(bands / 65535 - np.clip(whole, 0, 1)).max() < 1 / 255


@needs_vulkan
def test_info_names_the_devices():
    names = {gpu["id"]: gpu["name"] for gpu in machine_facts()["gpus"]}
    for device in vulkan_devices():
        assert device.name in names[device.id] and ("software" in names[device.id]) is device.software


def test_software_is_never_chosen_unasked(source, monkeypatch):
    pretended = VulkanDevice("vulkan:0", "llvmpipe", software=True)
    monkeypatch.setattr("utils.vulkan.vulkan_devices", lambda: (pretended,))
    assert vulkan_hardware() is None
    choice = VulkanChoice(JsonStore(None), BackendChooser(JsonStore(None), None), None)
    assert choice.remembered() is None and choice.decide(source("tiny-x4")) == "cpu"
    card = VulkanDevice("vulkan:1", "Some card", software=False)
    monkeypatch.setattr("utils.vulkan.vulkan_devices", lambda: (pretended, card))
    assert vulkan_hardware() == card


@pytest.mark.parametrize(("card", "processor", "winner"), [(0.1, 1.0, "vulkan:0"), (0.9, 1.0, "cpu")])
def test_a_card_is_taken_where_it_is_clearly_faster_and_that_is_remembered(
    source, tmp_path, monkeypatch, card, processor, winner
):
    raced = []

    def seconds(self, network, device):
        raced.append(device)
        return card if device == "vulkan:0" else processor

    monkeypatch.setattr(VulkanChoice, "_seconds", seconds)
    store, found = JsonStore(tmp_path / "v.json"), VulkanDevice("vulkan:0", "Some card", software=False)
    choice = VulkanChoice(store, BackendChooser(JsonStore(None), None), None, look=lambda: found)
    assert choice.remembered() is None
    assert choice.decide(source("tiny-x4")) == winner and choice.decide(source("tiny-x4")) == winner
    assert raced == ["vulkan:0", "cpu"], "one race is enough"
    assert choice.remembered() == (winner if winner != "cpu" else None)


def test_a_card_that_gives_wrong_pictures_is_not_taken(source, tmp_path):
    class Broken(type(get_backend("openvino"))):
        name = "ncnn"

        def serves(self, device):
            return device == "vulkan:0"

        def open(self, network, device, precision, cache_dir):
            session = super().open(network, "cpu", "fp32", cache_dir)
            infer = session.infer
            session.infer = lambda batch: infer(batch) + 0.3
            return session

    def find(name):
        return Broken() if name == "ncnn" else get_backend(name)

    found = VulkanDevice("vulkan:0", "A card with a bad driver", software=False)
    choice = VulkanChoice(
        JsonStore(tmp_path / "v.json"), BackendChooser(JsonStore(None), None), None, look=lambda: found, find=find
    )
    assert choice.decide(source("tiny-x4")) == "cpu"


def test_a_network_without_names_and_a_device_that_is_not_there_are_refused_in_words(source):
    with pytest.raises(BackendError, match="vulkan:7"):
        get_backend("ncnn").open(source("tiny-x4"), "vulkan:7", "fp32", None)
    if vulkan_devices():
        graph = replace(source("tiny-x4"), arrays=lambda: None)
        with pytest.raises(BackendError, match="graph of its own kind"):
            get_backend("ncnn").open(graph, DEVICE, "fp32", None)
