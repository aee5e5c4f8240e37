"""The one-call function for scripts, given nothing but a picture: settings of the environment, a manager of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Config
from engine import EnhanceSettings, enhance_image_direct
from engine.imaging.direct_call import direct_call
from engine.model_manager import ModelManager
from utils import image_io
from utils.errors import InvalidSettingsError

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.parametrize("config", [None, Config])
def test_without_a_config_the_environment_counts(scene, tmp_path, config):
    made, given, sentence, metrics = enhance_image_direct(scene, "tiny-x4", 2, gpu_id=3, config=config)
    assert Path(made).parent == tmp_path / "output" and image_io.load(made).size == (240, 180)
    assert image_io.load(given).size == (120, 90) and "tiny-x4" in sentence and metrics["device"] == "cpu"


def test_fp32_overrules_the_precision_and_what_is_given_is_not_changed(tmp_path):
    given = {"scale": 2, "precision": "bf16"}
    with direct_call(None, None, None, True, given) as (chosen, manager, config):
        assert chosen == EnhanceSettings(scale=2, precision="fp32") and isinstance(manager, ModelManager)
        assert config.output_dir == tmp_path / "output" and given["precision"] == "bf16"


def test_a_setting_that_does_not_exist_is_named(scene):
    with pytest.raises(InvalidSettingsError, match="sharpness"):
        enhance_image_direct(scene, "lanczos", 2, sharpness=3)
