"""How a training is doing, as its folder says: for whoever looks on from another process."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import FileFormatError
from .checkpoint import CHECKPOINT
from .metrics import read_metrics
from .train_record import RECORD

LOCK = ".lock"


@dataclass(frozen=True)
class TrainState:
    """What the folder of a training says.

    Attributes
    ----------
    ending : str
        As train.json has it: under way, finished, time is up, interrupted, diverged; "" before the
        first step.
    settings : dict
        As train.json has them; empty before the first step.
    rows : list of dict
        Of metrics.csv.
    can_go_on : bool
        Whether there is a checkpoint.
    """

    ending: str
    settings: dict[str, Any]
    rows: list[dict[str, float]]
    can_go_on: bool

    @property
    def steps(self) -> int:
        """In all; 0 where they are not known yet."""
        return int(self.settings.get("steps", 0))

    @property
    def step(self) -> int:
        """The last one in the table."""
        return int(self.rows[-1]["step"]) if self.rows else 0

    @property
    def best(self) -> tuple[float, int] | None:
        """The best validation Dice, and its step."""
        found = [
            (r["validation_dice"], int(r["step"])) for r in self.rows if "validation_dice" in r
        ]
        return max(found, key=lambda one: one[0], default=None)

    @property
    def seconds_left(self) -> float | None:
        """For the steps that are left, at the speed so far; None where it would be a guess."""
        if not self.rows or not self.step or not self.steps:
            return None
        return self.rows[-1]["seconds"] / self.step * (self.steps - self.step)


def state_of(folder: Path) -> TrainState:
    """Read how the training in a folder is doing; cheap enough to ask every second.

    Raises
    ------
    FileFormatError
        When the folder's files are of something else.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        ending, settings = str(record["ending"]), dict(record["settings"])
    except (FileNotFoundError, NotADirectoryError):
        ending, settings = "", {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{folder / RECORD}: not of a training; choose another folder"
        ) from error
    return TrainState(ending, settings, read_metrics(folder), (folder / CHECKPOINT).exists())


def is_under_way(folder: Path, lock: str = LOCK) -> bool:
    """Whether a process works in the folder now, this one or another; a training's by default."""
    if not (folder / lock).exists():
        return False
    try:
        with FileLock(folder / lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that may only be looked at
        return False
