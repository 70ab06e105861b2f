"""A manifest of synthetic hands."""

import csv

from napari_vbmd.study.cohort import cohort_of
from napari_vbmd.study.manifest import read_manifest
from napari_vbmd.study.phantom_cohort import write_phantom_cohort


def test_the_manifest_is_a_cohort_that_trains_and_tests_on_different_seeds(tmp_path):
    assert write_phantom_cohort(tmp_path / "hands.csv", 20) == {
        "training": 14, "validation": 4, "test": 2,
    }  # fmt: skip
    cohort = cohort_of(read_manifest(tmp_path / "hands.csv"))
    seeds = {
        part: [int(case.key.split(":")[1]) for case in cohort.part(part)]
        for part in ("training", "validation", "test")
    }
    assert max(seeds["training"]) < min(seeds["validation"]) < 100_000 <= min(seeds["test"])
    assert [len(part) for part in seeds.values()] == [14, 4, 2]


def test_a_first_seed_of_the_tests_gives_hands_for_tests_only(tmp_path):
    write_phantom_cohort(tmp_path / "hands.csv", 5, 100_000)
    with open(tmp_path / "hands.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["split"] for row in rows} == {"test"}
    assert len(rows) == 5
