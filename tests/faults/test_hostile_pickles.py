"""``.pth`` files that attack or are damaged, where torch is not installed and this program reads them itself."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pytest

from engine.models.checkpoints import load_arrays
from tests import checkpoints
from tests.conftest import REPOSITORY
from tests.faults.test_malicious_checkpoints import payloads, refuse_payload, torch_zip
from tests.waiting import LONG
from utils import pytorch
from utils.errors import ModelError

COUNT = int(os.environ.get("REALESRGAN_TEST_MUTATIONS", "1000"))


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)


@pytest.mark.parametrize("wrapped", ["raw", "zip"])
@pytest.mark.parametrize("kind", payloads("x"))
def test_no_payload_runs(tmp_path, kind, wrapped):
    refuse_payload(load_arrays, tmp_path, kind, wrapped)


def test_a_place_among_billions_is_refused_before_room_is_made_for_it(tmp_path):
    path = torch_zip(tmp_path / "evil.pth", b"\x80\x02}r\xff\xff\xff\x2f.")
    with pytest.raises(ModelError, match=r"evil\.pth") as refused:
        load_arrays(path)
    assert "names place" in str(refused.value.__cause__)


def test_no_name_outside_of_tensors_is_looked_up(tmp_path):
    for module, name in (("torch", "load"), ("torch._utils", "_import_dotted_name"), ("collections", "Counter")):
        path = torch_zip(tmp_path / "evil.pth", f"c{module}\n{name}\n.".encode())
        with pytest.raises(ModelError, match="something other than plain tensors"):
            load_arrays(path)


def tensor(shape: str, strides: str, offset: int = 0, count: int = 16, kind: str = "FloatStorage", key: str = "0"):
    """The pickle of {"w": a tensor over storage ``key``}, by hand: sizes as they are claimed."""
    storage = f"ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\n{kind}\nS'{key}'\nS'cpu'\nI{count}\ntQ"
    rest = f"I{offset}\n({shape}t({strides}tI00\nccollections\nOrderedDict\n(tRtRs."
    return b"(dS'w'\n" + (storage + rest).encode()


SIXTEEN = np.arange(16, dtype="<f4").tobytes()
CLAIMS = {
    "more values than there are": tensor("I17\n", "I1\n"),
    "terabytes by a stride of nothing": tensor("L1099511627776L\n", "I0\n"),
    "beyond the end": tensor("I4\nI4\n", "I5\nI1\n"),
    "from beyond the end": tensor("I1\n", "I1\n", offset=16),
    "from before the beginning": tensor("I4\n", "I1\n", offset=-1),
    "backwards": tensor("I4\n", "I-1\n"),
    "a negative size": tensor("I-4\n", "I1\n"),
    "fewer strides than sides": tensor("I4\nI4\n", "I1\n"),
    "sixty sides": tensor("I1\n" * 60, "I1\n" * 60),
    "a storage of another size": tensor("I4\n", "I1\n", count=8),
    "a storage of billions": tensor("I4\n", "I1\n", count=2**40),
    "a storage of less than nothing": tensor("I4\n", "I1\n", count=-4),
    "a storage of another type": tensor("I8\n", "I1\n", kind="DoubleStorage"),
    "a storage that is not there": tensor("I4\n", "I1\n", key="7"),
    "a storage elsewhere": tensor("I4\n", "I1\n", key="../data.pkl"),
}


def test_a_sound_one_of_the_same_make_is_read(tmp_path):
    path = torch_zip(tmp_path / "w.pth", tensor("I4\nI2\n", "I4\nI1\n", offset=1), **{"x/data/0": SIXTEEN})
    found = load_arrays(path)
    assert found is not None
    np.testing.assert_array_equal(found["w"], [[1, 2], [5, 6], [9, 10], [13, 14]])


@pytest.mark.parametrize("kind", CLAIMS)
def test_sizes_that_are_only_claimed_are_refused(tmp_path, kind):
    path = torch_zip(tmp_path / "lies.pth", CLAIMS[kind], **{"x/data/0": SIXTEEN})
    with pytest.raises(ModelError, match=r"lies\.pth"):
        load_arrays(path)


def test_many_tensors_over_one_storage_take_no_more_than_the_file_could_hold(tmp_path):
    values = np.zeros(2**18, "<f4").tobytes()
    one = tensor(f"I{2**18}\n", "I1\n", count=2**18).removeprefix(b"(dS'w'\n").removesuffix(b"s.")
    many = b"(d" + b"".join(b"S'%d'\n" % number + one + b"s" for number in range(2000)) + b"."
    path = torch_zip(tmp_path / "many.pth", many, **{"x/data/0": values})
    with pytest.raises(ModelError, match=r"many\.pth"):
        load_arrays(path)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX thing")
def test_a_bomb_is_refused_in_little_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("x/data.pkl", tensor(f"I{2**27}\n", "I1\n", count=2**27))
        bomb.writestr("x/data/0", b"\0" * 2**29)
    code = f"""
        from pathlib import Path
        from utils import pytorch
        pytorch.is_installed = lambda: False
        from engine.models.checkpoints import load_arrays
        from utils.errors import ModelError
        from utils.gpu import peak_memory_mb
        before = peak_memory_mb()
        try:
            load_arrays(Path({str(tmp_path / "bomb.pth")!r}))
        except ModelError as error:
            print("refused", peak_memory_mb() - before < 200)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=REPOSITORY, timeout=LONG
    )
    assert done.stdout == "refused True\n", done.stderr[-800:]


def test_mutations_are_read_or_refused_and_nothing_else(tmp_path):
    """Bytes of the pickle and of the whole file changed at random: arrays that are finite, or an error with the name."""
    sound = checkpoints.save_pth(checkpoints.compact_state(convs=1, features=4), tmp_path / "a.pth").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        name = next(one for one in archive.namelist() if one.endswith("data.pkl"))
        at = sound.index(archive.read(name))
        length = len(archive.read(name))
        parts = {one: archive.read(one) for one in archive.namelist()}
    draw = random.Random(0)
    path = tmp_path / "mutated.pth"
    for number in range(max(100, COUNT // 10)):
        if number % 2:  # within the ZIP, its check sums right
            content = bytearray(parts[name])
            for _ in range(draw.choice((1, 1, 2, 8))):
                content[draw.randrange(length)] = draw.randrange(256)
            with zipfile.ZipFile(path, "w") as archive:
                for member, value in {**parts, name: bytes(content)}.items():
                    archive.writestr(member, value)
        else:
            whole = bytearray(sound)
            whole[draw.randrange(at, at + length) if draw.random() < 0.5 else draw.randrange(len(whole))] ^= (
                1 << draw.randrange(8)
            )
            path.write_bytes(bytes(whole) if draw.random() < 0.8 else bytes(whole[: draw.randrange(len(whole))]))
        try:
            found = load_arrays(path)
        except ModelError as error:
            assert "mutated.pth" in str(error)
        else:
            assert found is not None and all(np.isfinite(value).all() for value in found.values())


def test_pickles_that_hold_no_state_dict_are_named(tmp_path):
    for content in (pickle.dumps([1, 2]), pickle.dumps({"a": 1})):
        with pytest.raises(ModelError, match=r"odd\.pth"):
            load_arrays(torch_zip(tmp_path / "odd.pth", content))
