"""Facts about the machine: limits of containers are counted in, and without a GPU every answer is empty."""

from __future__ import annotations

import os

import pytest

from utils import gpu

GB = 2**30


def write(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def test_what_a_container_may_still_use_counts_its_idle_file_cache_as_free(tmp_path):
    stat = f"anon {GB}\ninactive_file {2 * GB}\nactive_file 5"
    write(tmp_path, memory__max=4 * GB, memory__current=3 * GB + 100, memory__stat=stat)
    assert gpu._cgroup_free(tmp_path) == 3 * GB - 100


def test_the_older_form_of_container_limits_is_read_too(tmp_path):
    stat = f"cache 7\ntotal_inactive_file {GB}"
    write(
        tmp_path / "memory",
        memory__limit_in_bytes=2 * GB,
        memory__usage_in_bytes=2 * GB,
        memory__stat=stat,
    )
    assert gpu._cgroup_free(tmp_path) == GB


def test_without_a_limit_the_machine_counts(tmp_path):
    assert gpu._cgroup_free(tmp_path) is None and gpu._cgroup_cores(tmp_path) is None
    write(tmp_path, memory__max="max", memory__current=GB, memory__stat="anon 1", cpu__max="max 100000")
    assert gpu._cgroup_free(tmp_path) is None and gpu._cgroup_cores(tmp_path) is None
    assert 0 < gpu.available_host_memory() <= gpu.memory_now()["total"] * gpu.MB


@pytest.mark.parametrize(("quota", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1)])
def test_a_quota_of_time_limits_the_cores(tmp_path, quota, cores):
    write(tmp_path, cpu__max=quota)
    assert gpu._cgroup_cores(tmp_path) == cores
    assert 1 <= gpu.cpu_count() <= (os.cpu_count() or 1)


def test_the_machine_is_described():
    facts = gpu.GPUDetector().get_system_info(look_for_gpus=False)
    assert facts["cores"] == gpu.cpu_count() and facts["gpus"] == [] and facts["cpu"]
    assert set(facts["cpu_features"]) == gpu.cpu_features()
    assert gpu._features_from_openvino() <= {"avx512_bf16"}
    assert 0 < gpu.current_rss_mb() <= gpu.peak_memory_mb() * 1.1


def test_a_gpu_that_is_not_there_is_no_error():
    detector = gpu.GPUDetector()
    count = len(detector.get_available_gpus())
    assert detector.set_device(count) == "cpu" == detector.set_device(-1)
    assert detector.get_gpu_memory("cpu") == {}
    detector.clear_gpu_cache()
