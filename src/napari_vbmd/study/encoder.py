"""ImageNet weights for the encoder of `unet-2d-pretrained`: from a file, or downloaded.

The file is torchvision's ResNet34 (He et al. 2016; BSD-3-Clause), trained on ImageNet-1K.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileFormatError, ParameterError

if TYPE_CHECKING:
    from torch import nn

# The name ends in the first digits of the SHA-256, which torch.hub compares
URL = "https://download.pytorch.org/models/resnet34-b627a593.pth"


def encoder_weights(path: str | Path | None = None, url: str = URL) -> dict[str, Any]:
    """The state dict of a ResNet34 that was trained on ImageNet.

    Parameters
    ----------
    path : path, optional
        A file in torchvision's format; downloaded when None, once, into torch.hub's folder.
    url : str
        Of the download.

    Raises
    ------
    FileFormatError
        When the file is missing, damaged, or holds something else.
    ParameterError
        When the download fails: it says how to get the file.
    """
    import torch

    if path is None:
        return _downloaded(url)
    if not Path(path).is_file():
        raise FileFormatError(f"{path}: no such file; get {url}")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its parts raise: a dozen kinds
        raise FileFormatError(
            f"{path}: damaged, or no weights of torch; get {url} again"
        ) from error
    if not isinstance(weights, dict) or "conv1.weight" not in weights:
        raise FileFormatError(f"{path}: no ResNet34 of torchvision; get {url}")
    return weights


def put_encoder(network: "nn.Module", weights: dict[str, Any], name: str) -> None:
    """Put the weights into the network's encoder.

    Raises
    ------
    FileFormatError
        When they are of another network; ``name`` says where they came from.
    """
    from ..segmentation.networks import load_imagenet_encoder

    try:
        load_imagenet_encoder(network, weights)
    except ValueError as error:
        raise FileFormatError(f"{name}: {str(error)[:200]}") from error


def _downloaded(url: str) -> dict[str, Any]:
    import torch

    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # no network, a full disk, a wrong hash, a page instead of a file
        reason = " ".join(str(error).split())[:120]
        raise ParameterError(
            f"the encoder's ImageNet weights cannot be downloaded ({reason}): get {url} (83 MB) "
            "where there is a network, and give the file with --encoder"
        ) from error
