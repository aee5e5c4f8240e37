"""ncnn pairs that attack or are damaged: each is refused by name, in little memory and time, whatever it claims."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from engine.models.checkpoints import inspect_checkpoint
from engine.models.ncnn import read_pair
from tests.conftest import REPOSITORY
from tests.ncnn_pairs import HALF, INT8, TABLE, plain, tagged, write_pair
from utils.errors import UnsupportedModelError

WEIGHT = np.random.default_rng(0).normal(0, 0.2, (3, 3, 3, 3)).astype(np.float32)
SOUND = tagged(WEIGHT) + plain([0.0, 0.0, 0.0])
LAYER = "Convolution conv 1 1 in out 0=3 1=3 4=1 5=1 6=81"
HEAD = "7767517\n2 2\nInput in 0 1 in\n"


def graph(body: str, layers: int = 2, blobs: int = 2) -> bytes:
    return f"7767517\n{layers} {blobs}\nInput in 0 1 in\n{body}\n".encode()


GRAPHS = {
    "empty": b"",
    "no counts": b"7767517\n",
    "another magic": b"7767518\n2 2\nInput in 0 1 in\n" + LAYER.encode(),
    "more layers than there are": graph(LAYER, layers=9999),
    "fewer layers than there are": graph(LAYER, layers=1),
    "billions of layers": graph(LAYER, layers=2**31 - 1),
    "more layers than an integer holds": f"7767517\n{10**4000} 2\n{LAYER}\n".encode(),
    "negative counts": graph(LAYER, layers=-2, blobs=-2),
    "fewer blobs than there are": graph(LAYER, blobs=1),
    "millions of inputs": graph("Convolution conv 2000000000 1 in out 0=3"),
    "a negative number of inputs": graph("Convolution conv -1 1 in out 0=3"),
    "fewer words than claimed": graph("Convolution conv 1 1 in"),
    "a cycle": graph("ReLU a 1 1 b c\nReLU b 1 1 c b", 3, 3),
    "its own input": graph("ReLU a 1 1 out out"),
    "a blob used before it is made": graph("ReLU a 1 1 later out\nReLU b 1 1 in later", 3, 3),
    "a blob made twice": graph("ReLU a 1 1 in out\nReLU b 1 1 in out", 3, 3),
    "the input made again": graph("ReLU a 1 1 in in"),
    "no input": b"7767517\n1 1\nMemoryData m 0 1 out 0=3\n",
    "two inputs": graph("Input b 0 1 b\nBinaryOp c 2 1 in b out", 3, 3),
    "no output": b"7767517\n1 1\nInput in 0 1 in\n",
    "two outputs": graph("Split s 1 2 in a b", 2, 3),
    "no text": graph(LAYER).replace(b"conv", b"\xff\xfe\x80"),
    "zero bytes": graph(LAYER).replace(b"conv", b"\0\0\0\0"),
    "a line of megabytes": graph(LAYER + " " + "9" * (4 * 2**20)),
    "a number of megabytes": graph("ReLU a 1 1 in out 0=" + "1" * (4 * 2**20)),
    "more than a graph can be": graph(LAYER) + b" " * (9 * 2**20),
    "a parameter out of range": graph("ReLU a 1 1 in out 99=1"),
    "a parameter twice": graph("ReLU a 1 1 in out 0=1.0 0=2.0"),
    "a parameter without a value": graph("ReLU a 1 1 in out 0="),
    "not a number": graph("ReLU a 1 1 in out 0=nan"),
    "not a finite number": graph("ReLU a 1 1 in out 0=1e999"),
    "a number of Python's": graph("ReLU a 1 1 in out 0=1_0.5"),
    "an array that lies about its length": graph("Eltwise a 1 1 in out 0=1 -23301=1000000,1.0"),
    "an array of negative length": graph("Eltwise a 1 1 in out 0=1 -23301=-5"),
    "an array where a number belongs": graph(LAYER.replace("0=3", "-23300=1,3")),
}


@pytest.mark.parametrize("kind", GRAPHS)
def test_damaged_graphs_are_refused_by_name(tmp_path, kind):
    path = tmp_path / "net.param"
    path.write_bytes(GRAPHS[kind])
    path.with_suffix(".bin").write_bytes(SOUND)
    with pytest.raises(UnsupportedModelError, match=r"net\.(param|bin)"):
        read_pair(path)


def nan() -> bytes:
    broken = WEIGHT.copy()
    broken[1, 1, 1, 1] = np.nan
    return tagged(broken) + plain([0, 0, 0])


SIZES = {
    "a kernel of the size of a city": "0=3 1=100000 6=81",
    "no kernel": "0=3 6=81",
    "a negative kernel": "0=3 1=-3 6=81",
    "no outputs": "0=0 1=3 6=81",
    "billions of outputs": "0=2147483647 1=3 6=2147483646",
    "negative outputs": "0=-3 1=3 6=81",
    "more weights than the file has": "0=3 1=3 6=268435431",
    "as many weights as an integer holds": "0=3 1=3 6=2147483646",
    "a product that overflows": "0=65536 1=255 11=255 6=2147483647",
    "a negative number of weights": "0=3 1=3 6=-81",
    "weights that make no whole kernels": "0=3 1=3 6=80",
    "weights by scientific notation": "0=3 1=3 6=1e38",
    "half a kernel": "0=3 1=3.5 6=81",
    "negative padding": "0=3 1=3 4=-7 6=81",
    "padding without end": "0=3 1=3 4=2147483647 6=81",
    "a stride of nothing": "0=3 1=3 3=0 6=81",
    "a negative dilation": "0=3 1=3 2=-1 6=81",
}


@pytest.mark.parametrize("kind", SIZES)
def test_sizes_that_cannot_be_are_refused(tmp_path, kind):
    path = write_pair(tmp_path, f"Convolution conv 1 1 in out {SIZES[kind]}", tagged(WEIGHT))
    with pytest.raises(UnsupportedModelError, match=r"net\.(param|bin).*'conv' \(Convolution\)"):
        read_pair(path)


WEIGHTS = {
    "none": b"",
    "a tag alone": SOUND[:4],
    "cut off": SOUND[:-1],
    "bytes left over": SOUND + b"\0",
    "another network's after it": SOUND + SOUND,
    "halves cut off": tagged(WEIGHT, HALF),
    "a table cut off": tagged(WEIGHT, TABLE)[:900],
    "a table that is none": b"\x07\x07\x07\x07" + b"\xff" * 2000,
    "eight bits without scales": tagged(np.ones(81), INT8) + plain([0, 0, 0]),
    "NaN": nan(),
    "infinite biases": tagged(WEIGHT) + plain([0, np.inf, 0]),
    "infinite halves": tagged(np.full(81, np.inf, np.float32), HALF) + plain([0, 0, 0]),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_damaged_weights_are_refused_by_name(tmp_path, kind):
    path = write_pair(tmp_path, LAYER, WEIGHTS[kind])
    with pytest.raises(UnsupportedModelError, match=r"net\.bin"):
        read_pair(path)


def test_the_sound_pair_is_accepted(tmp_path):
    """Otherwise the tests above would prove nothing."""
    assert read_pair(write_pair(tmp_path, LAYER, SOUND)).info.scale == 1
    (tmp_path / "net.param").write_bytes(graph(LAYER))
    assert read_pair(tmp_path / "net.param").info.scale == 1


@pytest.mark.parametrize(
    ("layer", "weights"),
    [
        ("MemoryData m 0 1 m 0=65536 1=65536 2=65536\nBinaryOp a 2 1 in m out", b""),
        ("MemoryData m 0 1 m 0=-1\nBinaryOp a 2 1 in m out", b""),
        ("PReLU a 1 1 in out 0=2147483647", b""),
        ("Scale a 1 1 in out 0=-5", b""),
        ("BatchNorm a 1 1 in out 0=65536", b"\0" * 64),
        ("InnerProduct a 1 1 in out 0=3 2=2147483646", b"\0" * 64),
        ("InnerProduct a 1 1 in out 0=0 2=0", b"\0" * 64),
        ("ConvolutionDepthWise a 1 1 in out 0=3 1=3 6=27 7=0", tagged(WEIGHT[0])),
        ("ConvolutionDepthWise a 1 1 in out 0=3 1=3 6=27 7=2", tagged(WEIGHT[0])),
        ("Deconvolution a 1 1 in out 0=3 1=3 6=81 18=99", tagged(WEIGHT)),
        ("Crop a 1 1 in out -23309=1,1 -23310=2,1,1 -23311=1,9", b""),
        ("Interp a 1 1 in out 0=1 1=-2.0 2=2.0", b""),
        ("Padding a 1 1 in out 0=2147483647", b""),
        ("Concat a 1 1 in out 0=7", b""),
    ],
)
def test_other_layers_that_cannot_be_are_refused(tmp_path, layer, weights):
    with pytest.raises(UnsupportedModelError, match=r"net\.(param|bin)"):
        read_pair(write_pair(tmp_path, layer, weights))


def bombs() -> dict[str, str]:
    """Small graphs that would take all memory or time there is when they run."""
    enlarging = ["Interp l0 1 1 in b0 0=1 1=64.0 2=64.0"]
    enlarging += [f"Interp l{i} 1 1 b{i - 1} b{i} 0=1 1=64.0 2=64.0" for i in range(1, 12)]
    joining = ["Split s0 1 2 in x0 y0"]
    for i in range(60):
        joining += [f"Concat c{i} 2 1 x{i} y{i} z{i}", f"Split s{i + 1} 1 2 z{i} x{i + 1} y{i + 1}"]
    joining += ["BinaryOp out 2 1 x60 y60 out"]
    padding = ["Padding l0 1 1 in b0 0=1024 1=1024 2=1024 3=1024"]
    padding += [f"Padding l{i} 1 1 b{i - 1} b{i} 0=1024 1=1024 2=1024 3=1024" for i in range(1, 200)]
    padding += ["Crop out 1 1 b199 out -23309=2,204800,204800 -23310=2,-204800,-204800 -23311=2,1,2"]
    chain = ["Interp l0 1 1 in b0 0=1 1=8.0 2=8.0"]
    chain += [f"UnaryOp l{i} 1 1 b{i - 1} b{i} 0=16" for i in range(1, 4900)]
    return {
        "enlarging": "\n".join(enlarging).replace("b11 ", "out "),
        "joining": "\n".join(joining),
        "padding": "\n".join(padding),
        "chain": "\n".join(chain),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX thing")
def test_bombs_go_off_in_little_memory_and_time(tmp_path):
    for name, layers in bombs().items():
        write_pair(tmp_path, layers, name=name)
    write_pair(tmp_path, LAYER.replace("6=81", "6=268435431"), SOUND, name="claims")
    sparse = write_pair(tmp_path, LAYER, name="sparse").with_suffix(".bin")
    with sparse.open("r+b") as file:
        file.truncate(2**40)
    same = ["ReLU same 1 1 in b0"] + [f"ReLU same 1 1 b{i} b{i + 1}" for i in range(4900)]
    write_pair(tmp_path, "\n".join(same), name="names")
    code = f"""
        import time
        from pathlib import Path
        import torch
        from engine.models.checkpoints import inspect_checkpoint
        from utils.errors import UnsupportedModelError
        from utils.gpu import peak_memory_mb
        torch.set_num_threads(1)
        before = peak_memory_mb()
        for path in sorted(Path({str(tmp_path)!r}).glob("*.param")):
            started = time.process_time()  # of the processor: however busy the machine is, as no thread waits spinning
            try:
                inspect_checkpoint(path)
                answer = "accepted"
            except UnsupportedModelError as error:
                answer = "refused" if path.stem in str(error) else str(error)
            print(path.stem, answer, time.process_time() - started < 60)
        print("grown", peak_memory_mb() - before < 1000)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=REPOSITORY, timeout=400
    )
    refused = {"claims", "enlarging", "joining", "padding", "sparse"}
    answers = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert {name for name, words in answers.items() if words[0] == "refused"} >= refused, (
        done.stdout + done.stderr[-800:]
    )
    assert all(words[-1] == "True" for words in answers.values()) and "grown" in answers, done.stdout
    assert set(answers) == refused | {"chain", "names", "grown"}


def test_what_is_no_file_is_refused_at_once(tmp_path):
    (tmp_path / "folder.param").mkdir()
    (tmp_path / "folder.bin").write_bytes(b"")
    with pytest.raises(UnsupportedModelError, match=r"folder\.param"):
        read_pair(tmp_path / "folder.param")
    write_pair(tmp_path, LAYER).with_suffix(".bin").unlink()
    (tmp_path / "net.bin").mkdir()
    with pytest.raises(UnsupportedModelError, match=r"net\.bin"):
        read_pair(tmp_path / "net.param")


SQUEEZE = """
    Convolution a 1 1 in a 0=4 1=3 4=1 5=1 6=108 9=2 -23310=1,0.1
    Split s 1 2 a x y
    Pooling p 1 1 y p 0=1 4=1
    InnerProduct f 1 1 p f 0=4 1=1 2=16 9=4
    Scale m 2 1 x f m 0=-233
    Convolution b 1 1 m b 0=12 1=3 4=1 5=1 6=432
    PixelShuffle out 1 1 b out 0=2"""


def test_mutations_are_read_or_refused_and_nothing_else(tmp_path):
    """Bytes of a sound pair changed at random: no other error, no crash, no hang. Some are looked at whole."""
    rng, random_numbers = np.random.default_rng(0), random.Random(0)
    weights = b"".join(
        tagged(rng.normal(0, 0.2, size).astype(np.float32), kind) + plain(rng.normal(0, 0.1, outputs))
        for size, outputs, kind in ((108, 4, 0), (16, 4, HALF), (432, 12, TABLE))
    )
    path = write_pair(tmp_path, SQUEEZE, weights)
    assert read_pair(path).info.global_pools == 1
    text = path.read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for trial in range(400):
        graph_bytes, weight_bytes = bytearray(text), bytearray(weights)
        target = graph_bytes if trial % 2 else weight_bytes
        for _ in range(random_numbers.randint(1, 3)):
            at = random_numbers.randrange(len(target))
            target[at] = random_numbers.choice((random_numbers.randrange(256), *b"0123456789-=,. \n"))
        if trial % 20 == 0:
            del weight_bytes[random_numbers.randrange(len(weight_bytes)) :]
        path.write_bytes(bytes(graph_bytes))
        path.with_suffix(".bin").write_bytes(bytes(weight_bytes))
        try:
            read_pair(path)
            if trial % 8 == 1:
                inspect_checkpoint(path)
            outcomes["read"] += 1
        except UnsupportedModelError as error:
            assert "net." in str(error)
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 40
