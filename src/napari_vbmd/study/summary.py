"""What the answers of a blinded rating come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ParameterError
from ..measurement.preference import METHOD, Preference, preference
from .answers import EQUAL, SKIPPED, A, Answer


@dataclass(frozen=True)
class Summary:
    """Whose masks a rater prefers, and what to know about it.

    Attributes
    ----------
    rater : str
    pairs, rated, skipped, waiting : int
        Pairs in all; with a blind answer, not to be shown, and without an answer yet.
    equal, decided : int
        Of those rated.
    a_chosen : int
        Times that A was preferred: far from half of ``decided``, the colour itself counted.
    preferences : dict
        `Preference` by source.
    notes : list of str
        What a reader must know before using the numbers.
    """

    rater: str
    pairs: int
    rated: int
    skipped: int
    waiting: int
    equal: int
    decided: int
    a_chosen: int
    preferences: dict[str, Preference]
    notes: list[str]

    @property
    def leading(self) -> str:
        """The source preferred more often; of two alike the first."""
        return max(self.preferences, key=lambda source: self.preferences[source].preferred)

    def to_dict(self) -> dict:
        """Plain numbers, ready for JSON."""
        preferences = {name: found.to_dict() for name, found in self.preferences.items()}
        return vars(self) | {"preferences": preferences, "method": METHOD}

    def text(self) -> str:
        """The summary in sentences, one a line."""
        first = self.leading
        (second,) = self.preferences.keys() - {first}
        found = self.preferences[first]
        share = found.share
        if share.missing:
            head = f"No preference: {share.missing}."
        else:
            head = (
                f"{first} was preferred in {found.preferred} of {found.decided} decided pairs: "
                f"{_percent(share.value)} % (95 % CI {_percent(share.low)} to "
                f"{_percent(share.high)} %), {_p(found.p_value)}; {second} in {found.other}."
            )
        counts = f"Equally good: {self.equal}. Skipped: {self.skipped}. Not rated: {self.waiting}."
        side = f"A was chosen in {self.a_chosen} of {self.decided}." if self.decided else ""
        return "\n".join(line for line in (head, counts, side, *self.notes) if line)


def summarise(answers: Sequence[Answer]) -> Summary:
    """Summarise one rater's answers; those given after a summary was seen are left out.

    Raises
    ------
    ParameterError
        When there is no answer, a pair has two, or they are of several raters or tables: two
        raters' answers to the same pairs are not independent cases, so they are never pooled.
    """
    if not answers:
        raise ParameterError("no pair was rated yet: there is nothing to summarise")
    one = answers[0]
    if len({(answer.rater, answer.pairs_key) for answer in answers}) > 1:
        raise ParameterError("answers of several raters or tables: summarise each by itself")
    if len({answer.order for answer in answers}) < len(answers):
        raise ParameterError(f"rater {one.rater} has two answers to one pair: give every file once")
    sources = sorted((one.a_source, one.b_source))
    given = [answer for answer in answers if answer.is_given]
    blind = [answer for answer in given if answer.blind]
    votes = Counter(answer.preferred for answer in blind)
    equal = sum(answer.answer == EQUAL for answer in blind)
    counts = [votes[source] for source in sources]
    skipped = sum(answer.answer == SKIPPED for answer in answers)
    return Summary(
        rater=one.rater,
        pairs=one.of,
        rated=len(blind),
        skipped=skipped,
        waiting=one.of - len(given) - skipped,
        equal=equal,
        decided=sum(counts),
        a_chosen=sum(answer.answer == A for answer in blind),
        preferences={
            source: preference(mine, theirs, equal)
            for source, mine, theirs in zip(sources, counts, reversed(counts), strict=True)
        },
        notes=list(_notes(given, blind)),
    )


def by_rater(answers: Sequence[Answer]) -> list[Summary]:
    """A summary for each rater and table of pairs, in the order of the answers.

    Raises
    ------
    ParameterError
        As `summarise`.
    """
    groups: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        groups.setdefault((answer.rater, answer.pairs_key), []).append(answer)
    return [summarise(group) for group in groups.values() or [[]]]


def _notes(given: Sequence[Answer], blind: Sequence[Answer]):
    if len(given) > len(blind):
        yield f"Left out, as given after a summary was seen: {len(given) - len(blind)}."
    cases = Counter(answer.patient or answer.scan for answer in blind)
    shared = sum(count > 1 for count in cases.values())
    if shared:
        who = "1 patient or scan has" if shared == 1 else f"{shared} patients or scans have"
        yield (
            f"{who} more than one pair: the interval and p take all pairs as independent, and are "
            "too sure where they are not."
        )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _p(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
