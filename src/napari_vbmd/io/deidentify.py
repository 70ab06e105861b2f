"""A copy of a scanner's file without what names the patient; not one voxel changes.

Values are blanked in place, so that every byte that stays lies where it lay. Bytes behind what the
header describes are left out, because nobody can say what is in them.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

from ..errors import ParameterError, WriteError
from ..privacy import (
    is_identifying,
    is_synthetic,
    names_in,
    public_value,
    side_words,
    without_names,
)
from . import aim_header, isq_header
from .atomic import written_whole
from .files import suffix_of
from .processing_log import ProcessingLog

_CHUNK = 1 << 22  # bytes
_DATES = frozenset({"Time", "Original Creation-Date", "Index Measurement"})


def deidentify(source: str | Path, target: str | Path, dates: bool = False) -> list[str]:
    """Copy an ISQ or AIM without what names the patient.

    Parameters
    ----------
    source, target : path
        Both .isq or both .aim; nothing may be at the target yet.
    dates : bool
        Blank dates and the number of the measurement, too, by which the scanner finds it.

    Returns
    -------
    list of str
        What was blanked, by name.

    Raises
    ------
    FileFormatError
        When the source is not a whole ISQ or AIM.
    ParameterError
        When the endings differ or are others.
    WriteError
        When the target is there already, or cannot be written.
    """
    source, target = Path(source), Path(target)
    clean = {".isq": _clean_isq, ".aim": _clean_aim}.get(suffix_of(source))
    if clean is None:
        raise ParameterError(f"{source}: an ISQ or an AIM can be copied without its patient")
    if suffix_of(target) != suffix_of(source):
        raise ParameterError(f"{target}: the copy is {suffix_of(source)} like {source.name}")
    if target.exists():
        same = source.exists() and target.samefile(source)
        why = "this is the file itself" if same else "already there"
        raise WriteError(f"{target}: {why}, and is not written over; choose another name")
    head, length, blanked = clean(source, dates)
    with written_whole(target) as temporary, open(temporary, "wb") as out:
        out.write(head)
        _copy(source, len(head), length, out)
        out.write(bytes(min(-out.tell() % 512, os.path.getsize(source) - out.tell())))
    return blanked


def _clean_isq(path: Path, dates: bool) -> tuple[bytes, int, list[str]]:
    """Header with its blocks, length of the voxels, and what was blanked."""
    header = isq_header.read_header(path)
    with open(path, "rb") as file:
        head = bytearray(file.read(header.data_start))
    name, blanked = header.fields["Patient Name"], []
    if not is_synthetic(name):
        stays = side_words(name).encode("latin-1")
        head[isq_header.NAME] = b" " * 40
        names = names_in([("Patient Name", name)])
        head[len(isq_header.MAGIC) :] = _without(names, bytes(head[len(isq_header.MAGIC) :]))
        head[isq_header.NAME] = stays.ljust(40)
        blanked += ["Patient Name"] if len(name) > len(stays) else []
    for key, offset in isq_header.FIELDS.items():
        if (is_identifying(key) or (dates and key in _DATES)) and header.fields[key]:
            struct.pack_into("<i", head, offset, 0)
            blanked.append(key)
    if dates and header.fields["Original Creation-Date"]:
        struct.pack_into("<q", head, 36, 0)
        blanked.append("Original Creation-Date")
    return bytes(head), header.data_length, blanked


def _clean_aim(path: Path, dates: bool) -> tuple[bytes, int, list[str]]:
    """Header with its log, length of the voxels, and what was blanked."""
    header = aim_header.read_header(path)
    with open(path, "rb") as file:
        start = file.read(header.layout.log)
    log = ProcessingLog.from_bytes(header.log)
    blanked = []

    def clean(key: str, value: str) -> str:
        new = "" if dates and key in _DATES else public_value(key, value)
        if is_synthetic(value) or new == value:
            return value
        blanked.append(key)
        return new

    stored = log.map_values(clean).without(log.names()).to_bytes()
    head = bytearray(start) + stored
    code = f"<{header.layout.integer}"  # what lies behind the voxels is left out: its length is 0
    struct.pack_into(code, head, header.layout.lengths + 4 * struct.calcsize(code), 0)
    return bytes(head), header.data_length, list(dict.fromkeys(blanked))


def _without(names: list[str], data: bytes) -> bytes:
    """The bytes with every mention of some names blanked: every byte is a character of Latin-1."""
    return without_names(data.decode("latin-1"), names, whole_words=True).encode("latin-1")


def _copy(path: Path, start: int, length: int, out: BinaryIO) -> None:
    with open(path, "rb") as file:
        file.seek(start)
        while length and (block := file.read(min(_CHUNK, length))):
            out.write(block)
            length -= len(block)
    if length:
        raise WriteError(f"{path}: became shorter while it was read; try again")
