"""A network from torch to ONNX. Importing this file imports neither.

torch's older exporter is used, by tracing: it needs the package onnx and nothing else.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from . import onnx_cache
from .slice_range import RANGE_FIELD

if TYPE_CHECKING:
    from torch import nn

OPSET = 17


@dataclass(frozen=True)
class NetworkInput:
    """What a network is traced with.

    Parameters
    ----------
    shape : tuple of int
        Of an example, the batch first.
    free : tuple of int
        Axes that may have any length later.
    """

    shape: tuple[int, ...]
    free: tuple[int, ...]


SLICES = NetworkInput((2, 1, 64, 64), (0, 2, 3))
VOLUME = NetworkInput((1, 1, 32, 32, 32), (2, 3, 4))
NEIGHBOURS = NetworkInput((2, 3, 64, 64), (0, 2, 3))
AROUND_BONE = NetworkInput((1, 1, 32, RANGE_FIELD, RANGE_FIELD), (2,))


def model_of(network: "nn.Module", seen: NetworkInput, weights_sha256: str) -> bytes:
    """The network as ONNX: from the cache, else exported and kept there.

    Parameters
    ----------
    network : Module
        Unchanged.
    seen : NetworkInput
    weights_sha256 : str
        Of the file with the network's weights, by which it is known.

    Raises
    ------
    Exception
        Of any kind, as the exporter finds.
    """
    key = _key(network, seen, weights_sha256)
    model = onnx_cache.read(key)
    if model is None:
        model = exported(network, seen)
        onnx_cache.write(key, model)
    return model


def _key(network: "nn.Module", seen: NetworkInput, weights_sha256: str) -> str:
    made_by = [version(name) for name in ("torch", "monai", "onnx")] + [_code_hash()]
    made_by += [str(OPSET), str(seen), type(network).__name__]
    return f"{weights_sha256}-{hashlib.sha256('|'.join(made_by).encode()).hexdigest()[:16]}"


@lru_cache(maxsize=1)
def _code_hash() -> str:
    """Of the code that is traced: when it changes, what was kept is another network."""
    here = Path(__file__).parent
    files = ("networks.py", "fine_networks.py", "folding.py", "onnx_export.py")
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in files)).hexdigest()


def exported(network: "nn.Module", seen: NetworkInput) -> bytes:
    """The network as ONNX, without the cache."""
    import torch

    from .folding import folded

    buffer, free = io.BytesIO(), {axis: f"axis_{axis}" for axis in seen.free}
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # of lengths that are constant here, and of its age
        torch.onnx.export(
            folded(network).cpu(),
            (torch.zeros(seen.shape),),
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=["seen"],
            output_names=["logits"],
            dynamic_axes={"seen": free},
        )
    return buffer.getvalue()
