"""A network with its weights: the user's, or those that are shipped.

Importing this file does not import torch.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FileFormatError, ParameterError
from .configurations import Configuration
from .weights_file import Weights, read_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

_KEPT = 2  # networks: the one that finds the bone, and the one that outlines it
NOT_CLINICAL = "trained on synthetic phantoms: not for clinical use"


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
            f"{configuration.name}: no weights are shipped for this network; train it with "
            "`napari-vbmd train` and give the weights file, or use another method"
        )
    return configuration.weights_path


def load_network(
    configuration: Configuration, path: str | Path | None = None
) -> tuple["nn.Module", Weights]:
    """A network with weights, ready to run; not to be changed, for the next to ask gets it, too.

    The last few are kept as long as the process lives and their files stay as they are.

    Raises
    ------
    ParameterError
        When no weights were given and none are shipped.
    FileFormatError
        As `read_weights`, and when the weights are those of another network.
    """
    found = find_weights(configuration, path)
    sha256 = None if path else configuration.weights_sha256
    return _loaded(configuration, found, sha256, _stamp(found))


def _stamp(path: Path) -> tuple[int, int] | None:
    """Another one when the file was changed; None when it is not there, which reading will say."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


@lru_cache(_KEPT)
def _loaded(
    configuration: Configuration, found: Path, sha256: str | None, _: tuple[int, int] | None
) -> tuple["nn.Module", Weights]:
    weights = read_weights(found, sha256)
    if weights.info.configuration != configuration.name:
        raise FileFormatError(
            f"{found}: these are weights of {weights.info.configuration}, not of "
            f"{configuration.name}; choose that method, or other weights"
        )
    network = configuration.build()
    _check_fit(network, weights, configuration.name)
    network.load_state_dict(weights.tensors)  # copies, and so turns half into single
    return network.eval(), weights


def _check_fit(network: "nn.Module", weights: Weights, name: str) -> None:
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.tensors.items()}
    wrong = sorted(key for key in wanted | found if wanted.get(key) != found.get(key))
    if wrong:
        raise FileFormatError(
            f"{weights.path}: these weights do not fit {name}: {len(wrong)} of {len(wanted)} "
            f"tensors differ, the first is {wrong[0]}; choose weights of this network"
        )
    bad = [k for k, v in weights.tensors.items() if v.is_floating_point() and not _finite(v)]
    if bad:
        raise FileFormatError(
            f"{weights.path}: {bad[0]} is not finite: the training went wrong; use other weights"
        )


def _finite(tensor: "Tensor") -> bool:
    return bool(tensor.isfinite().all())
