"""Where a training stands, in a file from which it goes on."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileFormatError
from ..io.atomic import written_whole

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

CHECKPOINT = "last.ckpt"
_FORMAT = "napari-vbmd checkpoint 1"


@dataclass
class Standing:
    """How far a training has come.

    Attributes
    ----------
    step : int
        Steps that were made.
    seconds : float
        That they took, in all calls.
    best_dice : float
        Of the validations so far; below zero before the first.
    best_step : int
    rows : list of dict
        Of metrics.csv.
    losses : list of float
        Of the steps since the last row.
    """

    step: int = 0
    seconds: float = 0.0
    best_dice: float = -1.0
    best_step: int = 0
    rows: list[dict[str, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def save_checkpoint(
    path: Path,
    network: "nn.Module",
    optimiser: "Optimizer",
    standing: Standing,
    settings: Mapping[str, Any],
) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    WriteError
    """
    import torch

    content = {
        "format": _FORMAT,
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "standing": asdict(standing),
        "settings": dict(settings),
    }
    buffer = io.BytesIO()  # torch's own writer says nothing clear about a full disk
    torch.save(content, buffer)
    with written_whole(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """A checkpoint's content, with ``standing`` as a `Standing`; None where there is none.

    Raises
    ------
    FileFormatError
        When it is damaged, or no checkpoint of ours.
    """
    import torch

    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # torch does not look at the checksums in it
            whole = archive.testzip() is None
        content = torch.load(path, map_location="cpu", weights_only=True) if whole else {}
        if content.get("format") != _FORMAT:
            raise ValueError
        content["standing"] = Standing(**content["standing"])
    except Exception as error:  # torch raises what its parts raise: a dozen kinds
        raise FileFormatError(
            f"{path}: damaged, or no checkpoint of this version; move it away to begin anew"
        ) from error
    return content
