"""What an evaluation leaves in its folder."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_vbmd.errors import WriteError
from napari_vbmd.measurement.curves import Curves
from napari_vbmd.study.evaluation import Contender, Evaluation
from napari_vbmd.study.evaluation_files import FILES, keep_scores, write_evaluation
from napari_vbmd.study.score import Score, Scored


@pytest.fixture
def evaluation():
    rng, levels = np.random.default_rng(1), np.arange(256)
    made = Evaluation([Contender("unet-3d"), Contender("contour", within=True)])
    for k in range(6):
        case = f"scan {k}"
        made.patients[case] = case
        made.repeats[case] = f"hand {k // 2}"
        for which, method in enumerate(("unet-3d", "contour")):
            truth = 250.0 + 10 * k
            row = Score(
                case, method, dice=0.95 + rng.normal(0, 0.01), iou=0.9,
                tt_vbmd_mg_cm3=truth - 3 + rng.normal(0, 1), expert_tt_vbmd_mg_cm3=truth,
                mean_slice_area_mm2=120.0 + k, expert_mean_slice_area_mm2=121.0 + k,
                first_slice_error=k - 2, last_slice_error=0, seconds=1.5,
            )  # fmt: skip
            counted = Curves(levels**2, levels[::-1] ** 2) if method == "unet-3d" else None
            per_slice = [{"slice": 4, "dice": 0.9, "iou": 0.8}]
            made.scored[which, case] = Scored(row, counted, per_slice)
    made.failed["scan 9"] = "scan 9: no such file"
    return made


def test_all_tables_are_there_and_can_be_read(evaluation, tmp_path):
    content = write_evaluation(evaluation, tmp_path / "out", {"split": "test"}, synthetic=True)
    assert {file.name for file in (tmp_path / "out").iterdir()} == set(FILES)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == content
    table = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert len(table) == 12
    assert table.dice.mean() == pytest.approx(0.95, abs=0.02)
    assert len(pd.read_csv(tmp_path / "out" / "slices.csv")) == 12
    assert content["not_opened"] == {"scan 9": "scan 9: no such file"}


def test_the_table_stands_beside_the_published_one(evaluation, tmp_path):
    write_evaluation(evaluation, tmp_path, {}, synthetic=False)
    text = (tmp_path / "evaluation.md").read_text()
    assert "| published: 3D U-Net | 54 | 0.969 (0.002) | 0.937 (0.003) | 0.998 (0.001) |" in text
    assert "| published | 30 | -14 (-5 %) |" in text
    assert "| contour, expert's slices | 6 |" in text
    assert "RMS %CV" in text
    assert "nan" not in text.lower()


def test_of_synthetic_hands_it_is_said_in_every_table(evaluation, tmp_path):
    content = write_evaluation(evaluation, tmp_path, {}, synthetic=True)
    assert "are not numbers on patients" in content["note"]
    assert "are not numbers on patients" in (tmp_path / "evaluation.md").read_text()


def test_every_row_of_a_table_has_as_many_cells(evaluation, tmp_path):
    write_evaluation(evaluation, tmp_path, {}, synthetic=True)
    widths: set[int] = set()
    for line in (tmp_path / "evaluation.md").read_text().splitlines():
        if line.startswith("|"):
            widths.add(line.count("|"))
        elif widths:
            assert len(widths) == 1
            widths = set()


def test_curves_of_an_older_evaluation_do_not_stay(evaluation, tmp_path):
    write_evaluation(evaluation, tmp_path, {}, synthetic=True)
    assert (tmp_path / "curves.png").is_file()
    for scored in evaluation.scored.values():
        object.__setattr__(scored, "curves", None)
    write_evaluation(evaluation, tmp_path, {}, synthetic=True)
    assert not (tmp_path / "curves.png").exists()


def test_scores_can_be_kept_on_the_way(evaluation, tmp_path):
    keep_scores(evaluation, tmp_path)
    assert len(pd.read_csv(tmp_path / "scores.csv")) == 12


def test_a_folder_that_cannot_be_made_is_one_clear_line(evaluation, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WriteError, match="choose another name"):
        write_evaluation(evaluation, tmp_path / "file" / "out", {}, synthetic=True)
