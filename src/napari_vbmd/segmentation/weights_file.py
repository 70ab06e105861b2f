"""Weights of a network in a file, with all that is needed to use them.

The format is torch's own with tensors and plain values only (``weights_only=True``, so that opening
a file runs no code); ``.safetensors`` is read where that package is installed. Importing this file
does not import torch.
"""

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileFormatError, ParameterError, VbmdError, WriteError
from .configurations import CONFIGURATIONS
from .preprocessing import PRESETS, Normalisation, Preset

if TYPE_CHECKING:
    from torch import Tensor, nn

_FORMAT = "napari-vbmd weights 1"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class WeightsInfo:
    """What stands beside the tensors in a weights file.

    Parameters
    ----------
    configuration : str
        The network's name.
    mean, sd : float
        Of the training set, in the preset's unit.
    preset : str
        How scans are brought to the network.
    threshold : float
        At which the held-out Dice was taken.
    held_out_dice : float or None
        On data that training never saw.
    trained_on : str
        One line for people to read.
    """

    configuration: str
    mean: float
    sd: float
    preset: str = "improved"
    threshold: float = 0.5
    held_out_dice: float | None = None
    trained_on: str = ""

    def __post_init__(self):
        if self.preset not in PRESETS:
            raise ParameterError(f"preset {self.preset!r} is not known: use {', '.join(PRESETS)}")
        if not 0 < self.threshold < 1:
            raise ParameterError(f"threshold {self.threshold}: it must lie between 0 and 1")
        _ = self.normalisation

    @property
    def normalisation(self) -> Normalisation:
        """As the network wants its input."""
        return Normalisation(self.mean, self.sd)

    def preset_of(self) -> Preset:
        """How scans are brought to the network."""
        return PRESETS[self.preset]


@dataclass(frozen=True)
class Weights:
    """The content of a weights file.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    info : WeightsInfo
    path : Path
    sha256 : str
        Of the file.
    """

    tensors: Mapping[str, "Tensor"]
    info: WeightsInfo
    path: Path
    sha256: str


def read_weights(path: str | Path, sha256: str | None = None) -> Weights:
    """Read a weights file.

    Parameters
    ----------
    path : path
    sha256 : str, optional
        What the file must have.

    Raises
    ------
    FileFormatError
        When it is missing, damaged, of another hash, or no weights file of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise FileFormatError(f"{path}: no such weights file; check the name")
    try:
        before, found = _stamp(path), _hash(path)
        if sha256 and found != sha256:
            raise FileFormatError(
                f"{path}: damaged or replaced (sha256 {found[:12]}…, expected {sha256[:12]}…): "
                "install napari-vbmd anew"
            )
        read = _read_safetensors if path.suffix == ".safetensors" else _read_torch
        tensors, metadata = read(path)
        info = _info(metadata)
        if _stamp(path) != before:  # what is kept under its hash would be another file's
            raise FileFormatError(f"{path}: was replaced while it was read; try again")
    except VbmdError as error:
        raise FileFormatError(
            str(error) if str(path) in str(error) else f"{path}: {error}"
        ) from None
    except Exception as error:  # torch raises what its parts raise: a dozen kinds
        raise FileFormatError(
            f"{path}: damaged, or no weights file of napari-vbmd; get it again"
        ) from error
    return Weights(tensors, info, path, found)


def save_weights(
    path: str | Path, network: "nn.Module", info: WeightsInfo, half: bool = True
) -> str:
    """Write a network's weights, whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.pt``; replaced when it stands.
    network : Module
    info : WeightsInfo
    half : bool
        Store convolutions in half precision, half the size; norms stay as they are.

    Returns
    -------
    str
        The file's sha256.

    Raises
    ------
    WriteError
    """
    import torch

    if info.configuration not in CONFIGURATIONS:
        raise ParameterError(f"configuration {info.configuration!r} is not known")
    path = Path(path)
    tensors = {
        key: value.half() if half and value.ndim > 1 else value.clone()
        for key, value in ((k, v.detach().cpu()) for k, v in network.state_dict().items())
    }
    buffer = io.BytesIO()  # torch's own writer says nothing clear about a full disk
    torch.save({"format": _FORMAT, "info": asdict(info), "tensors": tensors}, buffer)
    staged = path.with_name(path.name + ".part")
    try:
        staged.write_bytes(buffer.getbuffer())
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error
    return _hash(path)


def _read_torch(path: Path) -> tuple[dict, dict]:
    import torch

    with zipfile.ZipFile(path) as archive:  # torch does not look at the checksums in it
        if archive.testzip() is not None:
            raise FileFormatError("damaged; get it again")
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise FileFormatError("not a weights file of napari-vbmd")
    tensors = content["tensors"]
    if not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise FileFormatError("holds what is no tensor; get it again")
    return tensors, content["info"]


def _read_safetensors(path: Path) -> tuple[dict, dict]:
    try:
        from safetensors import safe_open
    except ImportError:
        raise FileFormatError("needs the package safetensors: pip install safetensors") from None
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != _FORMAT:
            raise FileFormatError("not a weights file of napari-vbmd")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    return tensors, json.loads(metadata["info"])


def _info(metadata: dict[str, Any]) -> WeightsInfo:
    known = {field.name for field in fields(WeightsInfo)}
    info = WeightsInfo(**{key: value for key, value in metadata.items() if key in known})
    if info.held_out_dice is not None and not math.isfinite(info.held_out_dice):
        raise FileFormatError("its held-out Dice is no number")
    return info


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
