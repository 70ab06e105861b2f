"""The command `preference`: a summary for each rater, and one line for what is no answer."""

from dataclasses import replace

import pytest

from napari_vbmd.study.answers import Answer, as_text


@pytest.fixture
def answers(tmp_path):
    """A file of answers of one rater, all for the network but the last."""

    def write(rater="Ann", count=4):
        said = "s", "", "network", "expert", "A", "network", rater
        one = Answer(1, count, *said, 1.0, "", True, "", "", "key")
        rows = [replace(one, order=i, scan=f"s{i}") for i in range(1, count + 1)]
        rows[-1] = replace(rows[-1], answer="B", preferred="expert")
        path = tmp_path / f"{rater}.csv"
        path.write_text(as_text(rows))
        return path

    return write


def test_it_prints_sentences_for_each_rater(cli, answers):
    status, out, _ = cli("preference", answers(), answers("Ben", 2))
    assert status == 0
    first, second = out.split("\n\n")
    assert first.startswith(
        "rater Ann\nnetwork was preferred in 3 of 4 decided pairs: 75.0 % (95 %"
    )
    assert second.startswith("rater Ben\nexpert was preferred in 1 of 2")


def test_it_prints_one_json_object(json_of, answers):
    (rater,) = json_of("preference", answers())["raters"]
    assert rater["preferences"]["network"]["share"]["value"] == 0.75
    assert rater["preferences"]["network"]["p_value"] == pytest.approx(0.625)
    assert (rater["rater"], rater["decided"]) == ("Ann", 4)


def test_what_is_no_answer_is_one_line(refuses, answers, tmp_path):
    refuses("preference", tmp_path / "none.csv", saying="none.csv: no such file")
    refuses("preference", answers(), answers(), saying="two answers to one pair")
    other = tmp_path / "pairs.csv"
    other.write_text("scan,mask_1,mask_2\n")
    refuses("preference", other, saying="pairs.csv: not the answers of a rating")
    refuses("preference", saying="required: ANSWERS.CSV")
