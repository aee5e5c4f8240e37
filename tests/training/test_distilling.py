"""The quick networks' recipe: the teachers' set is what its seed says, training goes on where it stopped, exports load."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from benchmarks.networks import photograph
from engine.models.checkpoints import open_network
from engine.models.quick_network import from_state
from training import teacher_set, worn
from training.adversary import Adversary
from training.content_data import Pools
from training.distill import FREQUENCY_WEIGHT, Student, TaughtPairs, loss_between
from training.export import export
from training.haar import haar_distance, haarpsi
from training.quick import begin_with, build, spread_over_pixels
from training.scenes import Sources, window
from training.teacher_set import HALO, PATCHES_A_WINDOW, SCALE, SIDE, make_set, read_shard
from training.train import charbonnier, frequency_distance
from utils import similarity
from utils.metrics import luma


def enlarge(rgb: np.ndarray) -> np.ndarray:
    """A teacher that takes no time."""
    return np.asarray(cv2.resize(rgb, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC))


TEACHERS = {False: enlarge, True: enlarge}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "one.png"
    cv2.imwrite(str(path), photograph(300, 420))
    return Sources(Pools((path,), {}))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(teacher_set, "SHARD", 2)


@pytest.fixture
def pairs(sources, tmp_path, small):
    make_set(tmp_path / "set", sources, TEACHERS, patches=4 * PATCHES_A_WINDOW, seed=3)
    return lambda scale, crop=32: TaughtPairs(tmp_path / "set", scale, batch=2, crop=crop)


@pytest.mark.parametrize(
    "kind", dict.fromkeys(wear for kinds in (worn.PHOTOGRAPHED, worn.DRAWN, worn.FILMED) for _, wear in kinds)
)
def test_wear_keeps_place_and_size(kind):
    """What a teacher enlarges has to be where the wear left it: a picture that moved would teach moving."""
    rgb = photograph(96, 128)
    first, again = kind(np.random.default_rng(4), rgb), kind(np.random.default_rng(4), rgb)
    assert first.shape == rgb.shape and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    means = cv2.resize(rgb, (8, 6), interpolation=cv2.INTER_AREA).astype(float).ravel()
    left = cv2.resize(first, (8, 6), interpolation=cv2.INTER_AREA).astype(float).ravel()
    assert np.corrcoef(means, left)[0, 1] > 0.9


def test_a_window_follows_from_seed_and_number(sources):
    first, drawn = window(sources, 5, 17, 96)
    again, _ = window(sources, 5, 17, 96)
    assert first.shape == (96, 96, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert any((window(sources, 5, 18, 96)[0] != first).ravel())
    assert {window(sources, 5, number, 64)[1] for number in range(12)} == {False, True}


def test_films_of_drawings_show_nothing_else(sources, tmp_path, small):
    assert all(window(sources, 5, number, 64, "drawn-films")[1] for number in range(12))
    make_set(tmp_path, sources, {True: enlarge}, patches=2 * PATCHES_A_WINDOW, seed=1, kind="drawn-films")
    for how in ({}, {"kind": "drawn-films", "taught_by": ["another"]}):
        with pytest.raises(SystemExit, match="another seed or teacher"):
            make_set(tmp_path, sources, TEACHERS, patches=2 * PATCHES_A_WINDOW, seed=1, **how)


def test_a_set_of_pictures_needs_a_teacher_of_photographs(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["teacher_set", "set", "--images", "photographs", "--drawings-teacher", "6b.param"])
    with pytest.raises(SystemExit):
        teacher_set.main()
    assert "--photographs-teacher is needed" in capsys.readouterr().err


def test_an_interrupted_set_goes_on_and_ends_the_same(sources, tmp_path, small):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    make_set(whole, sources, TEACHERS, patches=6 * PATCHES_A_WINDOW, seed=1)
    calls = []

    def dies(rgb: np.ndarray) -> np.ndarray:
        calls.append(rgb.shape)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return enlarge(rgb)

    with pytest.raises(KeyboardInterrupt):
        make_set(broken, sources, {False: dies, True: dies}, patches=6 * PATCHES_A_WINDOW, seed=1)
    assert len(list(broken.glob("*.zip"))) == 1  # the shard begun is not there
    make_set(broken, sources, TEACHERS, patches=6 * PATCHES_A_WINDOW, seed=1)
    names = sorted(path.name for path in whole.iterdir())
    assert names == ["00000.zip", "00001.zip", "00002.zip", "set.json"]
    for name in names:
        assert (whole / name).read_bytes() == (broken / name).read_bytes()


def test_a_set_made_otherwise_is_refused(sources, tmp_path, small):
    make_set(tmp_path, sources, TEACHERS, patches=2 * PATCHES_A_WINDOW, seed=1)
    with pytest.raises(SystemExit, match="another seed"):
        make_set(tmp_path, sources, TEACHERS, patches=2 * PATCHES_A_WINDOW, seed=2)


def test_pairs_belong_together(sources, tmp_path, small):
    """The teacher saw more than is kept, and what is kept of both shows the same place."""
    seen = []

    def teacher(rgb: np.ndarray) -> np.ndarray:
        seen.append(rgb.shape)
        return enlarge(rgb)

    make_set(tmp_path, sources, {False: teacher, True: teacher}, patches=2 * PATCHES_A_WINDOW, seed=1)
    assert set(seen) == {(SIDE + 2 * HALO, SIDE + 2 * HALO, 3)}
    for rgb, enlarged in read_shard(tmp_path / "00000.zip"):
        assert rgb.shape == (SIDE, SIDE, 3) and enlarged.shape == (SIDE * SCALE, SIDE * SCALE, 3)
        reduced = cv2.resize(enlarged, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        assert np.abs(reduced.astype(float) - rgb).mean() < 0.3 * max(4.0, float(rgb.std()))


@pytest.mark.parametrize("scale", [2, 4])
def test_batches_follow_from_their_number_and_their_halves_fit(pairs, scale):
    taught = pairs(scale)
    inputs, wanted = taught.batch(6)
    assert inputs.shape == (2, 32, 32, 3) and wanted.shape == (2, 32 * scale, 32 * scale, 3)
    np.testing.assert_array_equal(wanted, taught.batch(6)[1])
    for one, other in zip(inputs, wanted, strict=True):
        reduced = cv2.resize(other, (32, 32), interpolation=cv2.INTER_AREA)
        assert np.abs(reduced.astype(float) - one).mean() < 0.3 * max(4.0, float(one.std()))


def test_the_loss_is_the_recipe_of_the_embedded_network():
    one, other = torch.rand(2, 1, 3, 24, 24)
    by_parts = charbonnier(one, other) + FREQUENCY_WEIGHT * frequency_distance(one, other)
    torch.testing.assert_close(loss_between(one, other), by_parts)


@pytest.mark.parametrize("scale", [2, 4])
def test_steps_on_a_batch_lower_its_loss(pairs, scale, tmp_path):
    taught = pairs(scale)
    student = Student(tmp_path / "run", scale, steps=100)
    batch = taught.batch(0)
    losses = [student.learn(*batch) for _ in range(12)]
    assert losses[-1] < 0.97 * losses[0]


def test_resuming_ends_where_an_uninterrupted_run_does(pairs, tmp_path):
    taught = pairs(2)
    Student(tmp_path / "whole", 2, steps=4).run(taught)
    first = Student(tmp_path / "parts", 2, steps=4)
    for step in range(2):
        first.learn(*taught.batch(step))
    first.save()
    Student(tmp_path / "parts", 2, steps=4).run(taught)
    whole, parts = (load_file(tmp_path / name / "average.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_the_critic_learns_to_tell_teacher_from_student_and_the_student_pays(tmp_path):
    """After some steps on one batch the teacher's pictures stand above the student's, and the penalty has a gradient."""
    torch.manual_seed(0)
    adversary = Adversary(0.01, "cpu")
    wanted = torch.rand(4, 3, 64, 64)
    output = torch.nn.functional.avg_pool2d(wanted, 3, 1, 1).requires_grad_()
    for _ in range(60):
        adversary.learn(output, wanted)
    with torch.inference_mode():
        assert adversary.network(wanted).mean() > adversary.network(output).mean() + 0.3
    adversary.penalty(output).backward()
    assert output.grad is not None and float(output.grad.abs().sum()) > 0


def test_haarpsi_to_learn_by_is_that_which_is_measured():
    wanted = photograph(96, 80)
    blurred = cv2.GaussianBlur(wanted, (0, 0), 1.5)
    first, second = (
        cv2.resize(luma(rgb), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for rgb in (wanted, blurred)
    )
    planes = [torch.from_numpy(plane).float()[None, None] for plane in (first, second)]
    measured = similarity.haarpsi(luma(wanted), luma(blurred))
    assert float(haarpsi(*planes)) == pytest.approx(measured, abs=1e-3) and 0.3 < measured < 0.95
    assert float(haarpsi(planes[0], planes[0])) == pytest.approx(1, abs=1e-3)


def test_texture_that_means_of_errors_leave_out_is_nearer_by_haarpsi():
    """Gray and texture in another phase are as far by squares; by HaarPSI the texture is nearer."""
    at = torch.arange(64)
    waves = [0.5 + 0.1 * torch.sin(at * 2 * torch.pi / 5 + phase).repeat(1, 3, 64, 1) for phase in (0, 1.05)]
    gray = torch.full_like(waves[0], 0.5, requires_grad=True)
    far, near = haar_distance(gray, waves[0]), haar_distance(waves[1], waves[0])
    assert float(near) < 0.8 * float(far)
    far.backward()
    assert gray.grad is not None and bool(torch.isfinite(gray.grad).all())


def test_a_run_with_a_critic_goes_on_where_it_stopped(pairs, tmp_path):
    taught = pairs(2)
    Student(tmp_path / "whole", 2, steps=4, adversary=0.01, haar=0.02).run(taught)
    first = Student(tmp_path / "parts", 2, steps=4, adversary=0.01, haar=0.02)
    for step in range(2):
        first.learn(*taught.batch(step))
    first.save()
    Student(tmp_path / "parts", 2, steps=4, adversary=0.01, haar=0.02).run(taught)
    whole, parts = (load_file(tmp_path / name / "average.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_what_is_exported_is_what_the_engine_loads(pairs, tmp_path):
    Student(tmp_path, 4, steps=1).run(pairs(4))
    target = tmp_path / "quick-x4.safetensors"
    export(tmp_path, target, begun_with="realesr-animevideov3")
    with safe_open(target, "pt") as file:
        facts = file.metadata()
    assert facts["architecture"] == "SRVGGNetCompact, 64 features, 16 convolutions, PReLU" and facts["scale"] == "4"
    assert facts["licence"].startswith("BSD-3-Clause") and "RealESRGAN_x4plus" in facts["teachers"]
    assert target.stat().st_size < 1_500_000
    network, info = open_network(target)
    assert (info.architecture, info.scale, info.receptive_radius) == ("RealESRGAN Compact", 4, 18)
    picture = torch.from_numpy(photograph(24, 32)).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        torch.testing.assert_close(network(picture), from_state(load_file(target))(picture))


def test_haarpsi_counts_in_the_loss_by_its_weight(pairs, tmp_path):
    batch = pairs(4).batch(0)
    plain, weighed = (Student(tmp_path / str(haar), 4, haar=haar).learn(*batch) for haar in (0.0, 2.0))
    assert 0.01 < (weighed - plain) / 2 < 1


def test_two_states_of_a_run_are_exported_as_their_mean(pairs, tmp_path):
    student = Student(tmp_path, 4, steps=2)
    student.run(pairs(4))
    late = load_file(tmp_path / "average.safetensors")
    early = {key: value + 1 for key, value in late.items()}
    save_file(early, tmp_path / "early.safetensors")
    export(tmp_path, tmp_path / "mean.safetensors", mixed_with=tmp_path / "early.safetensors", share=0.25)
    mean = load_file(tmp_path / "mean.safetensors")
    assert mean["body.0.weight"].dtype == torch.float16
    torch.testing.assert_close(mean["body.0.weight"].float(), late["body.0.weight"].float() + 0.25, atol=2e-3, rtol=0)


def test_an_exported_unshuffled_network_computes_what_was_trained(pairs, tmp_path):
    student = Student(tmp_path, 2, steps=1)
    student.run(pairs(2))
    target = tmp_path / "unshuffled-x2.safetensors"
    export(tmp_path, target, teachers="another network", shown="other pictures")
    with safe_open(target, "pt") as file:
        facts = file.metadata()
    assert (facts["scale"], facts["unshuffle"], facts["licence"]) == ("2", "2", "CC0-1.0")
    assert facts["teachers"] == "another network" and "other pictures" in facts["training_data"]
    assert target.stat().st_size < 1_500_000
    student.network.load_state_dict(student.average)
    picture = torch.from_numpy(photograph(24, 32)).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        again = from_state(load_file(target))(picture)
        torch.testing.assert_close(again, student.network(picture), atol=2e-3, rtol=0)  # stored in half precision


def test_an_unshuffled_file_is_recognised_by_its_channels():
    """Twelve in, 48 out: unshuffled by 2, enlarged by 4. Nothing else tells what it is."""
    network = build(2)
    again = from_state(network.state_dict())
    assert (again.upscale, again.unshuffle) == (2, 2)
    picture = torch.rand(1, 3, 20, 28)
    with torch.inference_mode():
        assert again(picture).shape == (1, 3, 40, 56)
        torch.testing.assert_close(again(picture), network(picture))


def test_an_unshuffled_network_begins_with_what_the_x4_network_does_to_the_reduced_picture():
    weight, picture = torch.rand(5, 3, 3, 3), torch.rand(1, 3, 16, 16)
    spread = spread_over_pixels(weight, 2)
    reduced = torch.nn.functional.avg_pool2d(picture, 2)
    unshuffled = torch.nn.functional.pixel_unshuffle(picture, 2)
    conv = torch.nn.functional.conv2d
    torch.testing.assert_close(conv(unshuffled, spread), conv(reduced, weight))


@pytest.mark.parametrize("scale", [2, 4])
def test_a_trained_compact_or_quick_network_can_be_begun_with(scale):
    trained, network = build(4), build(scale)
    to_be_fitted = begin_with(network, trained.state_dict())
    assert to_be_fitted is (scale == 2) is not torch.equal(network.body[-1].weight, trained.body[-1].weight)
    assert network(torch.rand(1, 3, 16, 16)).shape == (1, 3, 16 * scale, 16 * scale)
    further = build(scale)
    assert begin_with(further, network.state_dict()) is False
    assert torch.equal(further.body[0].weight, network.body[0].weight)


def test_a_shallower_network_begins_with_the_first_layers_of_a_deeper_one(tmp_path):
    """All but the channels that carry the picture, and the last layer, which is made for another scale."""
    trained, network = build(4), build(2, unshuffle=1, convs=5)
    assert begin_with(network, trained.state_dict()) is True
    for number in range(0, 12, 2):
        same = (network.body[number].weight == trained.body[number].weight).flatten(1).float().mean(1)
        assert float((same > 0.9).float().mean()) > 0.9, number
    assert len(network.body) == 13 and network(torch.rand(1, 3, 15, 16)).shape == (1, 3, 30, 32)
    student = Student(tmp_path, 2, shape=(1, 5))
    assert (student.network.unshuffle, len(student.network.body)) == (1, 13)
