"""Weights of a network in a file, with all that is needed to use them.

The format is torch's own with tensors and plain values only (``weights_only=True``, so that opening
a file runs no code); ``.safetensors`` is read where that package is installed. Importing this file
does not import torch.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileFormatError, ParameterError, VbmdError, WriteError
from .configurations import CONFIGURATIONS, Configuration
from .preprocessing import PRESETS, Normalisation, Preset

if TYPE_CHECKING:
    from torch import Tensor, nn

NOT_CLINICAL = "trained on synthetic phantoms: not for clinical use"
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


def find_weights(configuration: Configuration, path: str | Path | None = None) -> Path:
    """The user's weights file, or the shipped one.

    Raises
    ------
    ParameterError
        When none was given and none is shipped: says how to get some.
    """
    if path:
        return Path(path)
    if configuration.weights_path is None:
        raise ParameterError(
            f"{configuration.name}: no weights are shipped for this network; train it "
            "(napari-vbmd train) or give a file (--weights), or use another method"
        )
    return configuration.weights_path


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
        found = _hash(path)
        if sha256 and found != sha256:
            raise FileFormatError(
                f"{path}: damaged or replaced (sha256 {found[:12]}…, expected {sha256[:12]}…): "
                "install napari-vbmd anew"
            )
        read = _read_safetensors if path.suffix == ".safetensors" else _read_torch
        tensors, metadata = read(path)
        info = _info(metadata)
    except VbmdError as error:
        raise FileFormatError(
            str(error) if str(path) in str(error) else f"{path}: {error}"
        ) from None
    except Exception as error:  # torch raises what its parts raise: a dozen kinds
        raise FileFormatError(
            f"{path}: no readable weights file of napari-vbmd ({_one_line(error)})"
        ) from error
    return Weights(tensors, info, path, found)


def load_network(
    configuration: Configuration, path: str | Path | None = None
) -> tuple["nn.Module", Weights]:
    """A network with weights, ready to run.

    Raises
    ------
    ParameterError
        When no weights were given and none are shipped.
    FileFormatError
        As `read_weights`, and when the weights are those of another network.
    """
    found = find_weights(configuration, path)
    weights = read_weights(found, None if path else configuration.weights_sha256)
    if weights.info.configuration != configuration.name:
        raise FileFormatError(
            f"{found}: these are weights of {weights.info.configuration}, not of "
            f"{configuration.name}; choose that method, or other weights"
        )
    network = configuration.build()
    _check_fit(network, weights, configuration.name)
    network.load_state_dict({k: v.float() if v.is_floating_point() else v
                             for k, v in weights.tensors.items()})  # fmt: skip
    return network.eval(), weights


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
    """
    import torch

    if info.configuration not in CONFIGURATIONS:
        raise ParameterError(f"configuration {info.configuration!r} is not known")
    path = Path(path)
    tensors = {
        key: value.half() if half and value.ndim > 1 else value.clone()
        for key, value in ((k, v.detach().cpu()) for k, v in network.state_dict().items())
    }
    staged = path.with_name(path.name + ".part")
    try:
        torch.save({"format": _FORMAT, "info": asdict(info), "tensors": tensors}, staged)
        staged.replace(path)
    except (OSError, RuntimeError) as error:
        staged.unlink(missing_ok=True)
        raise WriteError(f"{path}: cannot be written: {_one_line(error)}") from error
    return _hash(path)


def _read_torch(path: Path) -> tuple[dict, dict]:
    import torch

    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise FileFormatError("not a weights file of napari-vbmd")
    return content["tensors"], content["info"]


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


def _check_fit(network: "nn.Module", weights: Weights, name: str) -> None:
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.tensors.items()}
    wrong = sorted(key for key in wanted | found if wanted.get(key) != found.get(key))
    if wrong:
        raise FileFormatError(
            f"{weights.path}: these weights do not fit {name}: {len(wrong)} of {len(wanted)} "
            f"tensors differ, the first is {wrong[0]}; choose weights of this network"
        )


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:120] or type(error).__name__
