"""Which rows are used, and which of them train, validate and test."""

import pytest

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.study.cohort import SPLITS, cohort_of, patient_of, write_cohort
from napari_vbmd.study.manifest import read_manifest


def rows(count, scans_each=1):
    return [
        {"scan": f"{patient}_{scan}.isq", "patient": f"P{patient}"}
        for patient in range(count)
        for scan in range(scans_each)
    ]


def test_patients_are_split_70_20_10(manifest_of):
    cohort = cohort_of(manifest_of(*rows(50)))
    assert [len(cohort.part(name)) for name in SPLITS] == [35, 10, 5]
    assert {case.key for name in SPLITS for case in cohort.part(name)} == cohort.split.keys()


def test_scans_of_one_patient_stay_together(manifest_of):
    cohort = cohort_of(manifest_of(*rows(20, scans_each=3)))
    parts = [{patient_of(case) for case in cohort.part(name)} for name in SPLITS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_rows(manifest_of):
    some = rows(30)
    one = cohort_of(manifest_of(*some)).split
    assert cohort_of(manifest_of(*reversed(some))).split == one
    assert cohort_of(manifest_of(*some), seed=1).split != one


def test_a_small_cohort_leaves_no_part_empty(manifest_of):
    for count in (3, 4, 5):
        cohort = cohort_of(manifest_of(*rows(count)))
        assert all(cohort.part(name) for name in SPLITS)
    assert len(cohort_of(manifest_of(*rows(1))).part("training")) == 1


def test_scans_with_much_motion_are_left_out_and_counted(manifest_of):
    some = rows(5)
    for row, grade in zip(some, (1, 3, 4, 5, ""), strict=True):
        row["motion_grade"] = grade
    manifest = manifest_of(*some)
    cohort = cohort_of(manifest)
    assert [case.motion_grade for case in cohort.left_out] == [4, 5]
    assert "2 scans left out: motion grade above 3" in cohort.notes
    assert "1 without a motion grade are used" in cohort.notes
    assert len(cohort_of(manifest, most_motion=5).cases) == 5
    with pytest.raises(ParameterError, match="every scan"):
        cohort_of(manifest_of(some[3]))


def test_rows_without_patients_count_as_patients_of_their_own_and_it_is_said(manifest_of):
    cohort = cohort_of(manifest_of(*({"scan": f"{k}.isq"} for k in range(10))))
    assert [len(cohort.part(name)) for name in SPLITS] == [7, 2, 1]
    assert "no patients are named" in " ".join(cohort.notes)


def test_a_row_without_a_patient_among_others_with_one_is_refused(manifest_of, refused):
    manifest = manifest_of(*rows(3), {"scan": "x.isq"})
    with refused(FileFormatError, manifest.path, "line 5: no patient"):
        cohort_of(manifest)


def test_a_patient_of_two_sexes_is_refused(manifest_of, refused):
    some = rows(2, scans_each=2)
    some[2]["sex"], some[3]["sex"] = "female", "male"
    manifest = manifest_of(*some)
    with refused(FileFormatError, manifest.path, "lines 4, 5: patient “P1” is female and male"):
        cohort_of(manifest)


def test_a_split_in_the_manifest_is_kept(manifest_of):
    some = [row | {"split": part} for row, part in zip(rows(3), SPLITS, strict=True)]
    cohort = cohort_of(manifest_of(*reversed(some)), seed=7)
    assert [cohort.part(name)[0].patient for name in SPLITS] == ["P0", "P1", "P2"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("training", "test", "training"), "lines 2, 3: patient “P0” is in two splits"),
        (("training", "training", ""), "line 4: no split"),
        (("training", "training", "train"), "line 4: split “train” is not training, validation"),
    ],
)
def test_a_wrong_split_in_the_manifest_is_refused(manifest_of, refused, parts, said):
    patients = ("P0", "P0", "P1")
    manifest = manifest_of(
        *(
            {"scan": f"{k}.isq", "patient": patient, "split": part}
            for k, (patient, part) in enumerate(zip(patients, parts, strict=True))
        )
    )
    with refused(FileFormatError, manifest.path, said):
        cohort_of(manifest)


def test_digital_hands_keep_to_what_their_seeds_are_for(manifest_of, refused):
    seeds = [*range(9), *range(100_000, 100_003)]
    some = [{"scan": f"phantom:{seed}", "side": "left"} for seed in seeds]
    cohort = cohort_of(manifest_of(*some))
    assert [len(cohort.part(name)) for name in SPLITS] == [7, 2, 3]
    assert all("10000" in case.key for case in cohort.part("test"))
    manifest = manifest_of(some[0] | {"split": "test"}, some[-1] | {"split": "training"})
    with refused(FileFormatError, manifest.path, "line 3: phantom:100002 is a hand for tests"):
        cohort_of(manifest)


def test_what_is_written_is_the_same_cohort_when_it_is_read(manifest_of, tmp_path):
    some = rows(6)
    some[0] |= {"mask": "m.aim", "age": 61.5, "sex": "female", "first_slice": 3, "last_slice": 9}
    some[0] |= {"note": "kept, as it is", "motion_grade": 2, "side": "left"}
    some[5]["motion_grade"] = 4
    hand = {"scan": "phantom:3", "side": "right"}
    before = cohort_of(manifest_of(*some, hand))
    (tmp_path / "results").mkdir()
    write_cohort(before, tmp_path / "results" / "cohort.csv")
    after = cohort_of(read_manifest(tmp_path / "results" / "cohort.csv"), seed=99)
    assert [after.part(name) for name in SPLITS] != [(), (), ()]
    for name in SPLITS:
        one, other = before.part(name), after.part(name)
        assert [case.scan.name for case in one] == [case.scan.name for case in other]
    first = after.manifest.cases[0]
    assert first.scan == tmp_path / "0_0.isq"
    assert first.mask == tmp_path / "m.aim"
    assert (first.age, first.sex, first.slices, first.motion_grade) == (61.5, "female", (3, 9), 2)
    assert first.other["note"] == "kept, as it is"
    assert [case.key for case in after.left_out] == ["../5_0.isq"]
