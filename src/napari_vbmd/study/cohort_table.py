"""A cohort as a table: who was scanned, how well, and what the experts' masks hold."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from .cohort import SPLITS, Cohort, patient_of
from .cohort_check import Seen
from .manifest import Case

ALL = "all"


def describe(cohort: Cohort, seen: Mapping[str, Seen]) -> dict[str, Any]:
    """The cohort and each part of its split, ready for JSON.

    Parameters
    ----------
    cohort : Cohort
    seen : mapping of str to Seen
        Of `cohort_check.check_files`.

    Returns
    -------
    dict
        ``all``, ``training``, ``validation``, ``test``: each with ``scans``, ``patients``, ``sex``
        (patients of each word), ``side`` and ``motion_grade`` (scans of each), and ``age_years``
        (at the scan), ``tt_vbmd_mg_cm3``, ``mean_slice_area_mm2`` with ``mean``, sample ``sd``,
        ``min``, ``max`` and ``count``.
    """
    parts = {ALL: cohort.cases} | {name: cohort.part(name) for name in SPLITS}
    return {name: _part(cases, seen) for name, cases in parts.items()}


def table_rows(described: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """`describe` for people: a row for each line of the table, the first names the columns."""
    parts = list(described.values())
    rows = [("", *described)]
    rows += [(name, *(str(part[name]) for part in parts)) for name in ("scans", "patients")]
    rows += _numbers("age, years", "age_years", parts, 1)
    rows += _counts("sex: {}", "sex", parts)
    rows += _counts("{} hands", "side", parts)
    rows += _counts("motion grade {}", "motion_grade", parts)
    rows += _numbers("Tt.vBMD, mg HA/cm3", "tt_vbmd_mg_cm3", parts, 1)
    rows += _numbers("mean slice area, mm2", "mean_slice_area_mm2", parts, 1)
    return rows


def _part(cases: Sequence[Case], seen: Mapping[str, Seen]) -> dict[str, Any]:
    sex_of = {patient_of(case): case.sex for case in cases if case.sex}
    looked = [seen[case.key] for case in cases]
    return {
        "scans": len(cases),
        "patients": len({patient_of(case) for case in cases}),
        "age_years": _spread(case.age for case in cases),
        "sex": _counted(sex_of.values()),
        "side": _counted(one.side for one in looked),
        "motion_grade": _counted(case.motion_grade or "not given" for case in cases),
        "tt_vbmd_mg_cm3": _spread(one.tt_vbmd_mg_cm3 for one in looked),
        "mean_slice_area_mm2": _spread(one.mean_slice_area_mm2 for one in looked),
    }


def _counted(words: Iterable[Any]) -> dict[str, int]:
    return dict(sorted(Counter(str(word) for word in words).items()))


def _spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    known = [value for value in values if value is not None]
    return {
        "mean": mean(known) if known else None,
        "sd": stdev(known) if len(known) > 1 else None,
        "min": min(known, default=None),
        "max": max(known, default=None),
        "count": len(known),
    }


def _counts(name: str, key: str, parts: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    words = sorted({word for part in parts for word in part[key]})
    if words == ["not given"]:
        return []
    rows = []
    for word in words:
        cells = []
        for part in parts:
            count, total = part[key].get(word, 0), sum(part[key].values())
            cells.append(f"{count} ({count / total:.0%})" if total else "0")
        rows.append((name.format(word), *cells))
    return rows


def _numbers(
    name: str, key: str, parts: list[dict[str, Any]], decimals: int
) -> list[tuple[str, ...]]:
    if not any(part[key]["count"] for part in parts):
        return []
    cells = []
    for part in parts:
        middle, sd, count = (part[key][word] for word in ("mean", "sd", "count"))
        text = "-" if middle is None else f"{middle:.{decimals}f}"
        text += "" if sd is None else f" ({sd:.{decimals}f})"
        text += f", n = {count}" if 0 < count < part["scans"] else ""
        cells.append(text)
    return [(f"{name}, mean (SD)", *cells)]
