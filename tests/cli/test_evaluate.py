"""`napari-vbmd evaluate` on a manifest of small files."""

import json

import numpy as np
import pytest

from napari_vbmd.cli import main
from napari_vbmd.cli.evaluate import _short
from napari_vbmd.io.files import write_mask
from napari_vbmd.io.isq import write_isq
from napari_vbmd.phantom.bone import bone_phantom


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    lines = ["scan,expert,side,patient,split"]
    for seed in (1, 2):
        bone = bone_phantom(seed, (36, 110, 110))
        write_isq(folder / f"{seed}.isq", bone.voxels, bone.grid.spacing_mm, bone.calibration)
        write_mask(folder / f"{seed}.aim", bone.mask, bone.grid)
        lines.append(f"{seed}.isq,{seed}.aim,right,p{seed},test")
    lines.append("3.isq,3.aim,left,p3,test")
    lines.append("4.isq,4.aim,left,p4,validation")
    path = folder / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(capsys, *words) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_scores_are_written_and_printed(manifest, tmp_path, capsys):
    code, out, err = run(
        capsys, "evaluate", manifest, "--out", tmp_path / "o", "--method", "contour", "--slices",
        "both", "--json",
    )  # fmt: skip
    assert code == 0, err
    content = json.loads(out)
    assert [one["method"] for one in content["summaries"]] == [
        "contour",
        "contour, expert's slices",
    ]
    assert content["summaries"][0]["numbers"]["dice"]["mean"] > 0.9
    assert list(content["not_opened"]) == ["3.isq"]
    assert "3.isq" in err
    assert (tmp_path / "o" / "scores.csv").is_file()
    assert np.isfinite(content["summaries"][1]["d100"]["bland_altman"]["bias"]["value"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--method", "magic"], "method 'magic' is not known"),
        (["--method", "contour=w.pt"], "contour takes no weights"),
        (["--method", "contour", "--threshold", "2"], "no probability between 0 and 1"),
        (["--method", "contour", "--split", "training"], "no scan in the part training"),
        ([], "--method"),
    ],
)
def test_wrong_use_is_one_line(manifest, tmp_path, capsys, words, says):
    code, _, err = run(capsys, "evaluate", manifest, "--out", tmp_path / "o", *words)
    assert code == 2
    assert says in err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


def test_a_folder_that_cannot_be_is_refused_before_the_work(
    manifest, tmp_path, capsys, monkeypatch
):
    (tmp_path / "o").write_text("a file")
    monkeypatch.setattr("napari_vbmd.study.evaluation.evaluate", None)
    code, _, err = run(capsys, "evaluate", manifest, "--out", tmp_path / "o", "--method", "contour")
    assert code == 2
    assert "is a file, not a folder" in err


def test_weights_that_are_all_called_best_are_told_apart():
    weights = ["runs/one/best.pt", "runs/two/best.pt", "other.pt", ""]
    assert [_short(each, weights) for each in weights] == [
        "one/best.pt",
        "two/best.pt",
        "other.pt",
        "",
    ]


def test_a_missing_manifest_is_one_line(tmp_path, capsys):
    code, _, err = run(
        capsys, "evaluate", tmp_path / "no.csv", "--out", tmp_path / "o", "--method", "contour"
    )
    assert code == 2
    assert "no such file" in err
