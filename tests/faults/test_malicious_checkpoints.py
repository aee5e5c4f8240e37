"""Checkpoints that attack: none runs code, writes outside or fills memory; each is refused by name.

The plain kinds of payload are in ``tests/engine/test_model_manager.py``; here are the ways around them.
"""

from __future__ import annotations

import builtins
import io
import json
import pickle
import pickletools
import struct
import subprocess
import sys
import textwrap
import zipfile

import pytest

from engine.models.checkpoints import inspect_checkpoint, load_state_dict
from tests import checkpoints
from tests.conftest import REPOSITORY
from tests.waiting import LONG
from utils.errors import ModelError, UnsupportedModelError


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function, *arguments, state=None):
        self._answer = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self._answer


def by_name(module: str, name: str, argument: str) -> bytes:
    """A hand-written pickle (protocol 0): what no ``__reduce__`` of an importable object would give."""
    return f"c{module}\n{name}\n(S{argument!r}\ntR.".encode()


def payloads(mark: str) -> dict[str, bytes]:
    touch = f"touch {mark}"
    write = f"open({mark!r}, 'w').close()"
    return {
        "eval": pickle.dumps(Call(builtins.eval, write)),
        "subprocess": pickle.dumps(Call(subprocess.call, ["touch", mark])),
        "posix by name": by_name("posix", "system", touch),
        "builtins by name": by_name("__builtin__", "eval", write),
        "torch's own import": by_name("torch.hub", "load_state_dict_from_url", "http://127.0.0.1:9/x.pth"),
        "runstring": by_name("torch.utils.collect_env", "run", touch),
        "getattr chain": pickle.dumps(Call(getattr, Call(__import__, "os"), "system")),
        "state of an object": pickle.dumps(Call(io.BytesIO, b"x", state=(b"x", 0, {"a": Call(builtins.exec, write)}))),
        "behind a state dict": pickle.dumps({"params": {"w": [1.0]}, "epoch": Call(builtins.exec, write)}),
        "key of a dict": pickle.dumps({(Call(builtins.exec, write),): 1}),
        "newest protocol": pickle.dumps(Call(builtins.exec, write), protocol=5),
    }


def torch_zip(path, pickled: bytes, **extra: bytes):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"x/data.pkl": pickled, "x/version": b"3\n", "x/byteorder": b"little", **extra}.items():
            archive.writestr(name, content)
    return path


def refuse_payload(load, folder, kind, wrapped):
    """``load`` refuses an ``evil.pth`` of a kind of ``payloads``, raw or as torch packs it, and runs nothing of it."""
    mark, path = folder / "executed", folder / "evil.pth"
    pickled = payloads(str(mark))[kind]
    pickletools.dis(pickled, io.StringIO())  # it is a sound pickle: what is refused is what it would do
    if wrapped == "zip":
        torch_zip(path, pickled)
    else:
        path.write_bytes(pickled)
    with pytest.raises(ModelError, match=r"evil\.pth") as refused:
        load(path)
    assert not mark.exists()
    return refused.value


@pytest.mark.parametrize("wrapped", ["raw", "zip"])
@pytest.mark.parametrize("kind", payloads("x"))
def test_no_payload_runs(tmp_path, kind, wrapped):
    assert isinstance(refuse_payload(load_state_dict, tmp_path, kind, wrapped), UnsupportedModelError)


def test_the_payloads_do_run_where_nothing_guards(tmp_path):
    """Otherwise the test above would prove nothing."""
    mark = tmp_path / "executed"
    pickle.loads(payloads(str(mark))["eval"])
    assert mark.exists()


def test_an_archive_that_climbs_out_writes_nothing(tmp_path):
    path = torch_zip(tmp_path / "deep" / "evil.pth" if (tmp_path / "deep").mkdir() is None else tmp_path, b"(dp0\n.")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../escaped", b"x")
        archive.writestr("/tmp/escaped-from-a-checkpoint", b"x")
    with pytest.raises(UnsupportedModelError, match=r"evil\.pth"):
        load_state_dict(path)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["deep", "evil.pth"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX thing")
def test_a_tensor_that_claims_terabytes_is_refused_in_little_memory(tmp_path):
    header = json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    (tmp_path / "huge.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 100)
    (tmp_path / "header.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    (tmp_path / "overlap.safetensors").write_bytes(
        struct.pack("<Q", 2) + b"{}" + b"\0" * 8  # bytes that belong to no tensor
    )
    storage = (
        "ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nL1099511627776L\ntQL0L\n"
    )
    pickled = b"(dS'w'\n" + (storage + "(L1099511627776L\nt(L1L\ntI00\nccollections\nOrderedDict\n(tRtRs.").encode()
    torch_zip(tmp_path / "claims.pth", pickled, **{"x/data/0": b"\0" * 64})
    bomb = zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED)
    with bomb:
        bomb.writestr("x/version", "3")
        bomb.writestr("x/data.pkl", b"\0" * (600 * 2**20))
    code = f"""
        import torch
        from pathlib import Path
        from engine.models.checkpoints import load_state_dict
        from utils.errors import UnsupportedModelError
        from utils.gpu import peak_memory_mb
        before = peak_memory_mb()
        for path in sorted(Path({str(tmp_path)!r}).iterdir()):
            try:
                load_state_dict(path)
            except UnsupportedModelError as error:
                print(path.name, "refused", path.name in str(error))
        print("grown", peak_memory_mb() - before < 1000)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=REPOSITORY, timeout=LONG
    )
    names = ["bomb.pth", "claims.pth", "header.safetensors", "huge.safetensors", "overlap.safetensors"]
    assert done.stdout.splitlines() == [*(f"{name} refused True" for name in names), "grown True"], done.stderr[-800:]


def wrong_shapes() -> dict[str, dict]:
    import torch

    compact, rrdb = checkpoints.compact_state(), checkpoints.rrdb_state()
    first = next(iter(rrdb))
    return {
        "transposed": {**compact, "body.2.weight": compact["body.2.weight"][:, :7]},
        "no channels": {**compact, "body.0.weight": torch.zeros(16, 0, 3, 3)},
        "scalar": {**compact, "body.0.weight": torch.tensor(1.0)},
        "last layer of no scale": {**compact, "body.8.weight": torch.zeros(7, 16, 3, 3), "body.8.bias": torch.zeros(7)},
        "a layer missing": {key: value for key, value in compact.items() if "body.4" not in key},
        "another network's first layer": {**rrdb, first: torch.zeros(3, 3)},
        "one infinite weight": {**compact, "body.8.bias": compact["body.8.bias"] + float("inf")},
        "one NaN": {**rrdb, first: rrdb[first] * float("nan")},
    }


@pytest.mark.parametrize("kind", wrong_shapes())
def test_wrong_weights_are_refused_by_name(tmp_path, kind):
    path = checkpoints.save_pth(wrong_shapes()[kind], tmp_path / "wrong.pth")
    with pytest.raises(UnsupportedModelError, match=r"wrong\.pth"):
        inspect_checkpoint(path)
