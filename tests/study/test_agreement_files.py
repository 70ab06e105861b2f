"""The files of an agreement: all of them or none, and nothing else is touched."""

import json

import pandas as pd
import pytest

from napari_vbmd import provenance
from napari_vbmd.errors import WriteError
from napari_vbmd.study import agreement_files
from napari_vbmd.study.agreement import agree_on
from napari_vbmd.study.agreement_columns import Columns, choose_columns
from napari_vbmd.study.agreement_files import names_of, write_agreement
from napari_vbmd.study.result_table import read_table

HEAD = "tt_vbmd_mg_cm3,expert_tt_vbmd_mg_cm3,mean_slice_area_mm2,expert_mean_slice_area_mm2,other"


@pytest.fixture
def table(tmp_path):
    rows = [(265, 279, 116, 122, 280), (240, 255, 110, 113, 250), (300, 312, 130, 137, 312),
            (281, 296, 121, 128, ""), (250, 262, 99, 104, 260)]  # fmt: skip
    text = "\n".join([HEAD, *(",".join(map(str, row)) for row in rows)])
    (tmp_path / "results.csv").write_text(text, encoding="utf-8")
    return read_table(tmp_path / "results.csv")


@pytest.fixture
def one_format(monkeypatch):
    """Drawing takes most of the time."""
    monkeypatch.setattr(agreement_files, "FORMATS", ("svg",))


@pytest.fixture
def both(table):
    return [agree_on(table, columns) for columns in choose_columns(table)]


def test_each_quantity_has_a_figure_in_three_formats(both, tmp_path):
    files = write_agreement(both, tmp_path / "out")
    assert sorted(files) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert sorted(files) == [
        "agreement.csv", "agreement.json",
        "agreement_mean_slice_area_mm2.pdf", "agreement_mean_slice_area_mm2.png",
        "agreement_mean_slice_area_mm2.svg", "agreement_tt_vbmd_mg_cm3.pdf",
        "agreement_tt_vbmd_mg_cm3.png", "agreement_tt_vbmd_mg_cm3.svg",
    ]  # fmt: skip


def test_json_names_the_table_without_its_folder_and_with_its_hash(
    one_format, both, table, tmp_path
):
    path = write_agreement(both, tmp_path / "out")["agreement.json"]
    content = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert content["table"]["name"] == "results.csv"
    assert content["table"]["sha256"] == provenance.file_hash(table.path)
    assert str(tmp_path) not in path.read_text(encoding="utf-8")
    assert [one["quantity"] for one in content["quantities"]] == [
        "Tt.vBMD", "Mean slice area (Tt.Ar)",
    ]  # fmt: skip
    assert content["quantities"][0]["agreement"]["bland_altman"]["bias"]["value"] == pytest.approx(
        both[0].agreement.bland_altman.bias.value
    )


def test_csv_has_a_row_for_each_quantity(one_format, both, tmp_path):
    data = pd.read_csv(write_agreement(both, tmp_path / "out")["agreement.csv"])
    assert list(data["ours"]) == ["tt_vbmd_mg_cm3", "mean_slice_area_mm2"]
    assert list(data["n"]) == [5, 5]
    assert data["icc_low"][0] == pytest.approx(both[0].agreement.icc.low)


def test_csv_has_the_precision_of_ours_and_the_reference(one_format, tmp_path):
    text = "patient,visit,a_mm,b_mm\nP,1,1,2\nP,2,3,4\nQ,1,5,7\nQ,2,6,7\n"
    (tmp_path / "results.csv").write_text(text)
    table = read_table(tmp_path / "results.csv")
    found = agree_on(table, Columns("a_mm", "b_mm", "patient", "visit"))
    data = pd.read_csv(write_agreement([found], tmp_path / "out")["agreement.csv"])
    assert data["precision_ours_rms_sd"][0] == pytest.approx(found.precision["a_mm"].rms_sd.value)
    assert data["precision_reference_lsc_high"][0] == pytest.approx(
        found.precision["b_mm"].lsc.high
    )


def test_an_older_results_figures_make_way_and_other_files_stay(one_format, both, table, tmp_path):
    out = tmp_path / "out"
    write_agreement(both, out)
    (out / "agreement_notes.txt").write_text("mine")
    write_agreement(both[:1], out)
    assert not list(out.glob("agreement_mean_slice_area_mm2.*"))
    assert (out / "agreement_notes.txt").read_text() == "mine"


def test_a_stranger_agreement_json_cannot_have_files_removed(one_format, both, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious").write_text("mine")
    (out / "agreement.json").write_text('{"files": ["../precious", "agreement_/../../precious"]}')
    write_agreement(both, out)
    assert (tmp_path / "precious").read_text() == "mine"


def test_the_table_itself_is_never_replaced(table, tmp_path):
    path = tmp_path / "agreement.csv"
    table.path.rename(path)
    before = path.read_bytes()
    moved = read_table(path)
    found = [agree_on(moved, columns) for columns in choose_columns(moved)]
    with pytest.raises(WriteError, match="this is the table itself"):
        write_agreement(found, tmp_path)
    assert path.read_bytes() == before


def test_cancelled_or_failed_work_leaves_nothing(one_format, both, tmp_path, monkeypatch):
    def cancel(fraction, message):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_agreement(both, tmp_path / "out", cancel)
    monkeypatch.setattr(agreement_files, "csv_text", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_agreement(both, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_axes_are_named_for_masks_and_experts_or_by_the_columns(both, table):
    assert names_of(both[0])[2:] == ("mask", "expert")
    other = agree_on(table, Columns("tt_vbmd_mg_cm3", "other"))
    assert names_of(other) == ("Tt.vBMD", "mg HA/cm3", "tt_vbmd_mg_cm3", "other")
