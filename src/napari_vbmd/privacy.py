"""What names a person in headers and logs, and texts without it."""

import re
from collections.abc import Iterable, Mapping

# Header keys that name or describe a person, in lower case and without blanks and signs; they
# leave a file only when the user asks.
IDENTIFYING = frozenset(
    {"patientname", "name", "patient", "patientid", "indexpatient", "patientindex", "patientno"}
    | {"patientbirthdate", "birthdate", "dateofbirth", "patientaddress", "otherpatientids"}
    | {"patienttelephonenumbers", "accessionnumber", "referringphysicianname"}
)
_FEWEST_LETTERS = 3  # of a name that can be told from other text
_SYNTHETIC = re.compile("NOT A PERSON", re.IGNORECASE)
_SIDE = re.compile(r"\b(left|right) hand\b", re.IGNORECASE)
_VMS_DEVICE = r"(?:[\w$-]+(?:\"[^\"\n]*\")?::)?[\w$-]+:"
_VMS_FOLDER = re.compile(
    rf"{_VMS_DEVICE}(?:\[[^\]\n\0]*\]|<[^>\n\0]*>)+|(?:\[[^\]\n\0]*\])+(?=[\w$-]+\.\w)"
)


def is_identifying(key: str) -> bool:
    """Whether a header's key names or describes a person, however it is spelt."""
    letters = re.sub(r"[^a-z]", "", key.lower())
    return re.sub(r"^patients", "patient", letters) in IDENTIFYING


def is_synthetic(text: str) -> bool:
    """Whether a text says that no person was scanned: the name of a phantom."""
    return _SYNTHETIC.search(text) is not None


def sides_said(text: str) -> set[str]:
    """The sides of a hand that a text names in words: left, right, both or none."""
    return {match[1].lower() for match in _SIDE.finditer(text)}


def side_words(text: str) -> str:
    """The words of a text that name a side of the hand, and nothing else of it."""
    return " ".join(match[0] for match in _SIDE.finditer(text))


def names_in(entries: Iterable[tuple[str, object]]) -> list[str]:
    """The values that name a person, without words for a side; none of a phantom's."""
    values = [str(value) for key, value in entries if is_identifying(key)]
    return [_SIDE.sub(" ", value) for value in values if not is_synthetic(value)]


def public_value(key: str, value: str) -> str:
    """A value as it may leave the file: without person and folders; what names the side stays."""
    if is_identifying(key):
        return side_words(value)
    if key == "Original file":
        return re.split(r"[\]/\\:]", value)[-1]
    return without_folders(value)


def public_entries(entries: Mapping[str, object]) -> dict[str, object]:
    """A header without keys that name or describe a person, mentions of the name, and folders."""
    names = names_in(entries.items())
    return {
        key: without_names(public_value(key, value), names) if isinstance(value, str) else value
        for key, value in entries.items()
        if not is_identifying(key)
    }


def without_folders(text: str) -> str:
    """A text whose VMS paths have lost device and folder."""
    return _VMS_FOLDER.sub("", text)


def without_names(text: str, names: Iterable[str], whole_words: bool = False) -> str:
    """A text with every mention of some names, and of each of their parts, blanked.

    Parameters
    ----------
    text : str
        Its length stays.
    names : iterable of str
        Those of fewer than three letters are left alone: they cannot be told from other text.
    whole_words : bool
        Leave alone what is a part of a longer word.
    """
    before, after = r"(?<![^\W_])", r"(?![^\W_])"
    for name in names:
        parts = re.findall(r"[^\W_]+", name)
        if not _is_long(name):
            continue
        patterns = [before + r"[\W_]{0,3}".join(map(re.escape, parts)) + after]
        for part in sorted(filter(_is_long, parts), key=len, reverse=True):
            patterns.append(before + re.escape(part) + after if whole_words else re.escape(part))
        for pattern in patterns:
            text = re.sub(pattern, lambda match: " " * len(match[0]), text, flags=re.IGNORECASE)
    return text


def _is_long(name: str) -> bool:
    return sum(c.isalpha() for c in name) >= _FEWEST_LETTERS
