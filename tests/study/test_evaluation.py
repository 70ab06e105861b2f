"""Contenders over scans, and what is said of them together."""

import dataclasses

import numpy as np
import pytest

from napari_vbmd.errors import FileFormatError, ParameterError
from napari_vbmd.measurement.curves import Curves
from napari_vbmd.phantom.bone import bone_phantom
from napari_vbmd.scan import Scan
from napari_vbmd.study.evaluation import Contender, Evaluation, Patient, evaluate, summary_of
from napari_vbmd.study.score import Score, Scored
from napari_vbmd.study.sources import Example


def example(seed: int) -> Example:
    bone = bone_phantom(seed, (36, 110, 110))
    scan = Scan(bone.voxels, "native", bone.grid, bone.calibration)
    first, last = bone.slices
    return Example(scan, bone.mask[first : last + 1], (first, 0, 0), "right", bone.slices)


def missing():
    raise FileFormatError("scan.isq: no such file; check the name")


@pytest.fixture(scope="module")
def tried():
    patients = [
        Patient(f"scan {k}", f"patient {k // 2}", lambda k=k: example(k), "hand 0") for k in (0, 1)
    ]
    patients.insert(1, Patient("lost", "patient 9", missing))
    return evaluate(patients, [Contender("contour"), Contender("contour", within=True)])


def test_every_contender_is_tried_on_every_scan(tried):
    assert [(which, case) for which, case in tried.scored] == [
        (0, "scan 0"),
        (1, "scan 0"),
        (0, "scan 1"),
        (1, "scan 1"),
    ]
    assert all(one.score.dice > 0.9 for one in tried.scored.values())


def test_within_the_experts_slices_no_slice_beyond_them_is_found(tried):
    for score in tried.scores(1):
        assert score.first_slice_error >= 0
        assert score.last_slice_error <= 0


def test_a_scan_that_cannot_be_opened_stops_nothing_and_is_said(tried):
    assert tried.failed == {"lost": "scan.isq: no such file; check the name"}


def test_rows_say_who_and_in_which_slices(tried):
    rows = tried.rows()
    assert {row["patient"] for row in rows} == {"patient 0"}
    assert [row["slices"] for row in rows] == ["found", "expert's"] * 2
    slices = tried.slice_rows()
    assert {row["case"] for row in slices} == {"scan 0", "scan 1"}


def test_repeated_scans_of_a_patient_give_a_precision_error(tried):
    repeats = summary_of(tried)[0]["repeats"]
    assert repeats["ours"]["patients"] == 1
    assert repeats["ours"]["measurements"] == 2
    values = [score.tt_vbmd_mg_cm3 for score in tried.scores(0)]
    assert repeats["ours"]["rms_sd"]["value"] == pytest.approx(np.std(values, ddof=1))


def test_a_patient_counts_once_in_the_agreement(tried):
    summary = summary_of(tried)[0]
    assert summary["scans"] == 2
    assert summary["d100"]["n"] == 1


def test_scans_that_nobody_called_repeats_have_no_precision_error():
    patients = [Patient(str(k), "one patient", lambda k=k: example(k)) for k in (0, 1)]
    (summary,) = summary_of(evaluate(patients, [Contender("contour")]))
    assert summary["repeats"] is None


def test_what_there_is_can_be_kept_after_every_scan():
    seen = []
    patients = [Patient(str(k), str(k), lambda k=k: example(k)) for k in (0, 1)]
    evaluate(patients, [Contender("contour")], keep=lambda one: seen.append(len(one.scored)))
    assert seen == [1, 2]


def test_two_contenders_of_one_name_are_refused():
    with pytest.raises(ParameterError, match="given twice"):
        evaluate([Patient("a", "a", missing)], [Contender("contour"), Contender("contour")])


def made(number: float, last=0, case="a") -> Scored:
    levels = np.arange(256)
    row = Score(
        case, "unet-2d", dice=number, tt_vbmd_mg_cm3=300 * number, expert_tt_vbmd_mg_cm3=300.0,
        mean_slice_area_mm2=100.0, expert_mean_slice_area_mm2=110.0, first_slice_error=0,
        last_slice_error=last,
    )  # fmt: skip
    return Scored(row, Curves(levels, levels[::-1]))


def test_over_seeds_the_sd_is_that_of_the_means():
    contenders = [Contender("unet-2d", weights=name) for name in ("one.pt", "two.pt", "three.pt")]
    dice = [[0.90, 0.92], [0.94, 0.96], [0.95, 0.97]]
    evaluation = Evaluation(contenders, patients={"a": "a", "b": "b"})
    for which, values in enumerate(dice):
        for case, value in zip("ab", values, strict=True):
            evaluation.scored[which, case] = made(value, case=case)
    (summary,) = summary_of(evaluation)
    means = np.mean(dice, axis=1)
    assert summary["weights"] == ["one.pt", "two.pt", "three.pt"]
    assert summary["numbers"]["dice"]["mean"] == pytest.approx(means.mean())
    assert summary["numbers"]["dice"]["sd_seeds"] == pytest.approx(means.std(ddof=1))
    assert summary["numbers"]["dice"]["sd_scans"] == pytest.approx(np.std(dice[0], ddof=1))
    assert summary["repeats"] is None


def test_one_contender_has_no_sd_over_seeds_and_one_scan_none_at_all():
    evaluation = Evaluation([Contender("unet-2d")], {(0, "a"): made(0.9)}, {"a": "a"})
    (summary,) = summary_of(evaluation)
    assert summary["numbers"]["dice"] == {"mean": 0.9, "sd_scans": None, "sd_seeds": None}
    assert summary["d100"]["pearson"]["value"] is None
    assert summary["d100"]["pearson"]["missing"]


def test_failures_are_counted_and_left_out_of_the_means():
    failed = Scored(Score("b", "unet-2d", failed="no bone found"))
    evaluation = Evaluation(
        [Contender("unet-2d")], {(0, "a"): made(0.9), (0, "b"): failed}, {"a": "a", "b": "b"}
    )
    (summary,) = summary_of(evaluation)
    assert (summary["scans"], summary["failed"]) == (2, 1)
    assert summary["numbers"]["dice"]["mean"] == 0.9


def test_the_range_is_said_as_mean_mean_of_the_absolute_and_largest():
    scored = {(0, str(k)): made(0.9, last, str(k)) for k, last in enumerate((-3, 1, 2))}
    evaluation = Evaluation([Contender("unet-2d")], scored, {str(k): str(k) for k in range(3)})
    (summary,) = summary_of(evaluation)
    assert summary["range"]["last"] == {"mean": 0.0, "mean_absolute": 2.0, "largest": 3}


def test_probabilities_of_all_scans_are_counted_together():
    evaluation = Evaluation(
        [Contender("unet-2d")],
        {(0, "a"): made(0.9), (0, "b"): made(0.8, case="b")},
        {"a": "a", "b": "b"},
    )
    one = made(0.9).curves
    assert np.array_equal(evaluation.curves(0).bone, 2 * one.bone)
    assert summary_of(evaluation)[0]["pooled_auc"] == pytest.approx(one.auc)


def test_without_scans_or_methods_there_is_nothing_to_evaluate():
    with pytest.raises(ParameterError, match="at least one"):
        evaluate([], [Contender("contour")])
    with pytest.raises(ParameterError, match="not known"):
        Contender("magic")


def test_it_can_be_cancelled_between_scans():
    def stop(done, message):
        if done > 0:
            raise InterruptedError

    patients = [Patient(str(k), str(k), lambda: example(0)) for k in range(3)]
    with pytest.raises(InterruptedError):
        evaluate(patients, [Contender("contour")], stop)


def test_the_hands_side_goes_to_methods_that_take_one(monkeypatch):
    seen = []

    def keep(case, scan, expert, method, parameters, slices, weights):
        seen.append(parameters)
        return Scored(Score(case, method, failed="not tried"))

    monkeypatch.setattr("napari_vbmd.study.evaluation.score", keep)
    left = dataclasses.replace(example(0), side="left")
    evaluate([Patient("a", "a", lambda: left)], [Contender("unet-3d"), Contender("contour")])
    assert seen[0].side == "left"
    assert not hasattr(seen[1], "side")
