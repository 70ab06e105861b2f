"""What answers come to: blind ones only, one rater at a time, and what to know about them."""

import json
from dataclasses import replace

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.provenance import as_json
from napari_vbmd.study.answers import Answer
from napari_vbmd.study.summary import by_rater, summarise


def answers(letters: str, of: int = 0, **changes) -> list[Answer]:
    """Answers by their first letters, the network always A: n(etwork), e(xpert), =, s(kipped)."""
    said = {"n": ("A", "network"), "e": ("B", "expert"), "=": ("equal", ""), "s": ("skipped", "")}
    made = []
    for i, letter in enumerate(letters, 1):
        told = i, of or len(letters), f"s{i}", f"p{i}", "network", "expert", *said[letter]
        made.append(replace(Answer(*told, "Ann", 1.0, "", True, "", "", "key"), **changes))
    return made


def test_the_published_share_with_its_interval():
    found = summarise(answers("n" * 27 + "e" * 14 + "=" * 7 + "s", of=50))
    assert (found.decided, found.equal, found.skipped, found.waiting) == (41, 7, 1, 1)
    assert (found.rated, found.pairs, found.leading) == (48, 50, "network")
    assert found.text().splitlines() == [
        "network was preferred in 27 of 41 decided pairs: 65.9 % (95 % CI 49.4 to 79.9 %), "
        "p = 0.060; expert in 14.",
        "Equally good: 7. Skipped: 1. Not rated: 1.",
        "A was chosen in 27 of 41.",
    ]


def test_either_source_may_lead_and_both_have_their_numbers():
    found = summarise(answers("neee"))
    assert found.leading == "expert"
    assert found.preferences["expert"].share.value == 0.75
    assert found.preferences["network"].share.value == 0.25
    assert "p < 0.001" in summarise(answers("e" * 20)).text()


def test_without_a_decided_pair_there_is_a_sentence():
    found = summarise(answers("=="))
    assert found.text().startswith("No preference: all 2 cases were rated equally good")
    assert "A was chosen" not in found.text()
    assert json.loads(as_json(found.to_dict()))["preferences"]["network"]["p_value"] is None
    assert "no case was rated" in summarise(answers("s")).text()


def test_answers_after_a_summary_are_left_out_and_told():
    given = answers("nnee")
    found = summarise([*given[:3], replace(given[3], blind=False)])
    assert (found.rated, found.decided, found.waiting) == (3, 3, 0)
    assert "Left out, as given after a summary was seen: 1." in found.text()


def test_pairs_of_one_patient_are_told_to_be_no_independent_cases():
    assert "independent" not in summarise(answers("nnee")).text()
    assert "1 patient or scan has" in summarise(answers("nnee", patient="p")).text()
    assert "1 patient or scan has" in summarise(answers("ne", patient="", scan="s")).text()
    assert "independent" not in summarise(answers("ne", patient="")).text()


def test_raters_are_never_pooled():
    both = [*answers("nn"), *answers("ee", rater="Ben")]
    assert [(one.rater, one.leading) for one in by_rater(both)] == [
        ("Ann", "network"),
        ("Ben", "expert"),
    ]
    with pytest.raises(ParameterError, match="several raters"):
        summarise(both)


def test_a_file_given_twice_does_not_count_twice():
    with pytest.raises(ParameterError, match="two answers to one pair"):
        by_rater([*answers("nn"), *answers("nn")])


def test_nothing_to_summarise_is_one_line():
    with pytest.raises(ParameterError, match="nothing to summarise"):
        by_rater([])
