"""Packages are set aside whole when the content classifier is measured."""

from pathlib import Path

import numpy as np

from training.content import split_packages
from training.content_data import Pools, pick_drawing

ROOT = Path("/packages")


def paths(**counts: int) -> tuple[Path, ...]:
    return tuple(ROOT / "deb" / name / f"{index}.png" for name, count in counts.items() for index in range(count))


def packages_of(pools: Pools) -> set[str]:
    every = [*pools.photographs, *(path for kind in pools.drawings.values() for path in kind)]
    return {path.relative_to(ROOT).parts[1] for path in every}


def test_no_package_is_on_both_sides():
    pools = Pools(paths(city=40, mixed=5, lakes=20), {"scenes": paths(mixed=9, game=30), "clipart": paths(clips=50)})
    rest, unseen = split_packages(pools, ROOT)
    assert not packages_of(rest) & packages_of(unseen)
    assert packages_of(rest) | packages_of(unseen) == packages_of(pools)
    assert len(unseen.photographs) >= 0.12 * len(pools.photographs)
    assert "mixed" in packages_of(unseen)


def test_a_kind_of_one_package_stays_and_the_rest_can_still_be_drawn_from():
    pools = Pools(paths(city=40, lakes=20), {"scenes": paths(mixed=9, game=30), "clipart": paths(clips=50)})
    rest, unseen = split_packages(pools, ROOT)
    assert set(unseen.drawings) == {"scenes"}
    assert len(rest.drawings["clipart"]) == 50
    random = np.random.default_rng(0)
    assert all(pick_drawing(random, unseen) in unseen.drawings["scenes"] for _ in range(20))
