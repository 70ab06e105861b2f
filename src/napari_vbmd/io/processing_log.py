"""The processing log of an AIM: what the scanner and its software say about the data.

A log is lines of a key, padded to a column, and its value; lines that begin with ``!`` are rules
and remarks. `ProcessingLog` keeps every byte, so that what is written again is what was read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..privacy import (
    is_identifying,
    names_in,
    public_value,
    without_folders,
    without_names,
)

_KEY_WIDTH = 30  # the key's column; at least two blanks set it apart from the value
_VALUE_WIDTH = 50
_ENTRY = re.compile(r"(?P<key>\S.*?)(?P<gap>\s{2,}|\t)(?P<value>.*)$")
_KEPT = ("Mu_Scaling", "HU:", "Density:")  # keys that no name may blank
RULE = "!" + "-" * 79


class ProcessingLog(Mapping[str, str]):
    """A log as a mapping from key to value; of a repeated key the last one counts.

    Parameters
    ----------
    text : str
        The whole log, every character of it kept.
    """

    def __init__(self, text: str = ""):
        self.text = text
        self._entries = {key: value for _, key, value in self.lines() if key}

    @classmethod
    def from_bytes(cls, data: bytes) -> "ProcessingLog":
        """A log as stored: Latin-1, in which every byte is a character."""
        return cls(data.decode("latin-1"))

    def to_bytes(self) -> bytes:
        """The log as stored; characters that Latin-1 lacks become question marks."""
        return self.text.encode("latin-1", "replace")

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """Every line with its ending, its key and its value; both empty for rules and remarks."""
        for line in re.findall(r"[^\n\0]*[\n\0]|[^\n\0]+$", self.text):
            bare = line.rstrip("\r\n\0")
            if not bare.strip() or bare.lstrip().startswith("!"):
                yield line, "", ""
                continue
            match = _ENTRY.match(bare)
            pair = match.group("key", "value") if match else (bare[:_KEY_WIDTH], bare[_KEY_WIDTH:])
            yield line, pair[0].strip(), pair[1].strip()

    def all(self, key: str) -> list[str]:
        """Every value of a key, in order: the software repeats some at each step."""
        return [value for _, name, value in self.lines() if name == key]

    def with_lines(self, entries: Mapping[str, object]) -> "ProcessingLog":
        """The log with entries added at its end, as a step of their own."""
        body = self.text.rstrip("\0")
        if not body:
            return ProcessingLog(format_log(entries))
        if not body.endswith("\n"):
            body += "\n"
        added = "".join(f"{format_line(key, value)}\n" for key, value in entries.items())
        return ProcessingLog(f"{body}{added}{RULE}\n" if added else self.text)

    def map_values(self, change: Callable[[str, str], str]) -> "ProcessingLog":
        """The log with values replaced in place, in their columns, so that its length stays.

        Parameters
        ----------
        change : callable
            From key and value (with its padding) to a text; cut or padded to the value's length.
        """
        parts = []
        for line, key, value in self.lines():
            if value:
                start = line.index(value, line.index(key) + len(key))
                new = str(change(key, value))[: len(value)].ljust(len(value))
                line = line[:start] + new + line[start + len(value) :]
            parts.append(line)
        return ProcessingLog("".join(parts))

    def names(self) -> list[str]:
        """What the log says the patient is called."""
        return names_in((key, value) for _, key, value in self.lines())

    def without(self, names: Iterable[str]) -> "ProcessingLog":
        """The log with names blanked wherever they occur, remarks without folders; same length.

        In keys, only whole words are blanked, and none of a key that the software needs.
        """
        names, parts = list(names), []
        for line, key, _ in self.lines():
            body = line.rstrip("\r\n\0")
            entry = _ENTRY.match(body) if key else None
            if entry:
                start = entry.start("value")
                head = line[:start]
                if not (is_identifying(key) or key.startswith(_KEPT)):
                    head = without_names(head, names, whole_words=True)
                parts.append(head + without_names(line[start:], names))
            else:
                public = without_names(without_folders(body).ljust(len(body)), names)
                parts.append(public + line[len(body) :])
        return ProcessingLog("".join(parts))

    def public(self) -> "ProcessingLog":
        """The log without what names or describes a person, folders included; same length."""
        return self.map_values(public_value).without(self.names())

    def __getitem__(self, key: str) -> str:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __str__(self) -> str:
        return self.text


def format_line(key: str, value: object) -> str:
    """A line in the scanner's columns."""
    return f"{key:<{_KEY_WIDTH - 2}}  {' '.join(str(value).splitlines()):<{_VALUE_WIDTH}}"


def format_log(entries: Mapping[str, object]) -> str:
    """A processing log in the scanner's layout."""
    if isinstance(entries, ProcessingLog):
        return entries.text.rstrip("\0")
    lines = ["!", "! Processing Log", "!", RULE]
    lines += [format_line(key, value) for key, value in entries.items()]
    return "\n".join([*lines, RULE, ""])


def as_log(known: str | Mapping[str, object]) -> ProcessingLog:
    """A log from its text or from entries."""
    if isinstance(known, str):
        return ProcessingLog(known)
    return ProcessingLog(format_log(known) if known else "")


def parse_log(text: str) -> dict[str, str]:
    """The log's entries in order; of a repeated key the last one counts."""
    return dict(ProcessingLog(text))
