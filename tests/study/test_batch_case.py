"""One patient of a batch: when it counts as done, and how it fails."""

from dataclasses import replace

import pytest

from napari_vbmd.pipeline import PostProcessing
from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.segmentation.network_method import NetworkParameters
from napari_vbmd.study.batch_case import BatchCase, BatchSettings, run_case, with_side

SETTINGS = BatchSettings("contour", ContourParameters())


@pytest.fixture
def case(draw, tmp_path):
    draw("a")
    folder = tmp_path / "results"
    return BatchCase("a", tmp_path / "a.isq", tmp_path / "a.aim", folder, None, None, SETTINGS)


def test_the_same_again_is_skipped_and_says_the_same(case):
    first, second = run_case(case), run_case(case)
    assert (first.status, second.status) == ("done", "skipped")
    assert first.measurement == second.measurement
    assert first.facts["spacing_mm"] == [0.246] * 3


def test_any_change_of_what_decides_the_numbers_is_run_again(case, draw, tmp_path):
    run_case(case)
    before = (case.folder / "run.json").stat().st_mtime_ns
    draw("other", radius=8.0)
    changed = {
        "expert": replace(case, expert=tmp_path / "other.aim"),
        "no expert": replace(case, expert=None),
        "slices": replace(case, slices=(3, 8)),
    }
    settings = {
        "parameters": replace(SETTINGS, parameters=ContourParameters(smoothing_mm=0.3)),
        "steps": replace(SETTINGS, post_processing=PostProcessing(keep_largest=False)),
        "calibration": replace(SETTINGS, calibration={"density_slope": 1500.0}),
        "compartments": replace(SETTINGS, compartments=True),
    }
    from napari_vbmd.io.files import read_scan
    from napari_vbmd.study.batch_case import is_done

    changed |= {name: replace(case, settings=each) for name, each in settings.items()}
    scan = read_scan(case.scan)
    assert is_done(case, SETTINGS, scan)
    for name, each in changed.items():
        calibrated = scan.calibrated(**each.settings.calibration)
        assert not is_done(each, each.settings, calibrated), name
    assert (case.folder / "run.json").stat().st_mtime_ns == before


def test_a_mask_that_was_corrected_since_is_neither_skipped_nor_replaced(case):
    run_case(case)
    (case.folder / "mask.aim").write_bytes(b"a person's work")
    outcome = run_case(case)
    assert outcome.status == "failed"
    assert "changed since, so it is not replaced" in outcome.reason
    assert (case.folder / "mask.aim").read_bytes() == b"a person's work"


def test_a_result_that_is_missing_is_made_again(case):
    run_case(case)
    (case.folder / "report.html").unlink()
    assert run_case(case).status == "done"
    assert (case.folder / "report.html").is_file()


def test_what_a_killed_worker_left_is_cleared_but_never_older_results(case):
    empty, kept = case.folder / ".vbmd-1", case.folder / ".vbmd-2"
    (empty / "older").mkdir(parents=True)
    (kept / "older").mkdir(parents=True)
    (kept / "older" / "mask.aim").touch()
    run_case(case)
    assert not empty.exists()
    assert (kept / "older" / "mask.aim").exists()


def test_a_failure_is_one_line_and_what_was_seen_is_kept(case, tmp_path):
    (tmp_path / "broken.isq").write_bytes(b"no scan")
    unreadable = run_case(replace(case, scan=tmp_path / "broken.isq"))
    assert unreadable.status == "failed"
    assert "broken.isq" in unreadable.reason
    assert unreadable.reason.isprintable()
    outside = run_case(replace(case, slices=(0, 900)))
    assert "the scan has slices 0 to 11" in outside.reason
    assert outside.facts["mu_scaling"] == 8192.0


def test_an_error_that_nobody_foresaw_says_where_it_came_from(case, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("napari_vbmd.study.batch_case.run_patient", broken)
    assert run_case(case).reason.startswith("unexpected ZeroDivisionError: division by zero (test_")


def test_the_manifests_side_is_used_where_none_was_typed(case):
    auto, typed = NetworkParameters(), NetworkParameters(side="left")
    for parameters, side in ((auto, "right"), (typed, "left")):
        settings = BatchSettings("unet-3d", parameters)
        found = with_side(replace(case, side="right", settings=settings))
        assert found.parameters.side == side
    assert with_side(replace(case, side="right")) is SETTINGS, "the contour takes none"
