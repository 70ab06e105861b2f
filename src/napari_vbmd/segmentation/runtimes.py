"""What runs a network on the CPU: torch, or ONNX Runtime where that is installed.

Importing this file imports neither.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import ParameterError
from .onnx_export import AROUND_BONE, NEIGHBOURS, NetworkInput, model_of
from .onnx_network import OnnxNetwork, is_installed

if TYPE_CHECKING:
    from torch import nn

RUNTIMES = ("auto", "torch", "onnx")
_FASTER_IN_TORCH = (AROUND_BONE, NEIGHBOURS)  # both networks of unet-2d-fine; see `ready`
_KEPT = 4  # networks: the two of unet-2d-fine, the one before them, and another
_MISSING = "runtime onnx: not installed; pip install 'napari-vbmd[onnx]', or use auto or torch"


@dataclass(frozen=True)
class Ready:
    """A network, ready to be called.

    Attributes
    ----------
    network : Module or OnnxNetwork
    note : str
        What runs it, for people to read.
    """

    network: "nn.Module | OnnxNetwork"
    note: str


def check_runtime(choice: str) -> None:
    """Say at once what is wrong with a choice.

    Raises
    ------
    ParameterError
        When it is not known, or not installed.
    """
    if choice not in RUNTIMES:
        raise ParameterError(f"runtime {choice!r} is not known: use {', '.join(RUNTIMES)}")
    if choice == "onnx" and not is_installed():
        raise ParameterError(_MISSING)


def ready(
    network: "nn.Module",
    seen: NetworkInput,
    weights_sha256: str,
    device: str = "cpu",
    choice: str = "auto",
) -> Ready:
    """The network in the runtime of a choice of `RUNTIMES`; on a GPU always in torch.

    CPU seconds of torch (batch norms folded, channels_last) over those of ONNX Runtime 1.31, by
    `benchmarks/runtimes.py`, on one thread and on two: unet-2d 1.35 and 1.12, unet-3d 1.63 and
    1.47, unet-2d-fine's range 1.03 and 0.87, its outline 0.93 and 0.87. So auto takes it for the
    first two only.

    Parameters
    ----------
    network : Module
        In evaluation mode; unchanged.
    seen : NetworkInput
    weights_sha256 : str
        Of the weights file.
    device : {"cpu", "cuda"}
    choice : {"auto", "torch", "onnx"}

    Raises
    ------
    ParameterError
        When ONNX Runtime was asked for and cannot be had; auto takes torch instead, and says so.
    """
    if device != "cpu" or choice == "torch":
        return Ready(network, "torch")
    if choice == "auto" and (seen in _FASTER_IN_TORCH or not is_installed()):
        return Ready(network, "torch")
    if next(network.parameters(), None) is None:
        return Ready(network, "torch")  # without weights it cannot be known by them
    import torch

    try:
        return _in_onnx(network, seen, weights_sha256, torch.get_num_threads())
    except Exception as error:  # exporter and runtime raise what their parts raise
        why = " ".join(str(error).split())[:200] or type(error).__name__
        if choice == "onnx":
            raise ParameterError(
                f"runtime onnx: this network cannot be run so ({why}); use auto or torch"
            ) from error
        return Ready(network, f"torch, for ONNX Runtime did not take the network: {why}")


@lru_cache(_KEPT)
def _in_onnx(network: "nn.Module", seen: NetworkInput, weights_sha256: str, threads: int) -> Ready:
    import onnxruntime

    made = OnnxNetwork(model_of(network, seen, weights_sha256), threads)
    return Ready(made, f"ONNX Runtime {onnxruntime.__version__}")
