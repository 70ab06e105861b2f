"""Run a network over a prepared volume. Importing this file does not import torch."""

import math
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ParameterError
from .onnx_network import OnnxNetwork

if TYPE_CHECKING:
    from torch import nn

Progress = Callable[[float, str], None]

DEVICES = ("auto", "cpu", "cuda")
LEVELS = 255  # of a stored probability
BATCH_2D = 4  # slices at a time
BATCH_FINE = 4  # on a CPU a fifth faster than 8: what a layer gives stays in the cache
# Most memory taken by a forward pass, in bytes for each voxel of one pass (measured: 600 and 100),
# and something to spare.
BYTES_PER_VOXEL = {2: 700, 3: 120}
BYTES_PER_SAMPLE = 8  # a volume in single precision, and its copy when it is cropped
BYTES_TO_SPARE = 300_000_000
_GB = 1e9


def choose_device(choice: str) -> tuple[str, str]:
    """The device for a choice of `DEVICES`, and a note on it for people to read.

    Raises
    ------
    ParameterError
        When the choice is not known, or a GPU is asked for and there is none.
    """
    import torch

    if choice not in DEVICES:
        raise ParameterError(f"device {choice!r} is not known: use {', '.join(DEVICES)}")
    if choice != "cpu" and torch.cuda.is_available():
        return "cuda", f"GPU: {torch.cuda.get_device_name()}"
    if choice == "cuda":
        raise ParameterError("device cuda: torch finds no GPU here; use auto or cpu")
    why = "" if choice == "cpu" else ", no GPU found"
    return "cpu", f"CPU: {torch.get_num_threads()} threads{why}"


def check_memory(shape: tuple[int, int, int], dims: int, available: int | None = None) -> int:
    """Refuse a run on the CPU for which the memory will not suffice, before it begins.

    Parameters
    ----------
    shape : tuple of int
        Voxels that the network sees.
    dims : int
        Of the network.
    available : int, optional
        Bytes; this machine's free memory when None.

    Returns
    -------
    int
        Bytes that the run will take.

    Raises
    ------
    ParameterError
    """
    once = shape if dims == 3 else (min(BATCH_2D, shape[0]), *shape[1:])
    needed = BYTES_TO_SPARE + BYTES_PER_VOXEL[dims] * math.prod(once) + math.prod(shape)
    free = available_memory() if available is None else available
    if free is not None and needed > free:
        smaller = "fewer slices (--slices), " if dims == 3 else ""
        raise ParameterError(
            f"this network takes about {needed / _GB:.1f} GB of memory for "
            f"{' × '.join(map(str, shape))} voxels, and {free / _GB:.1f} GB are free: close other "
            f"programs, or use {smaller}a GPU or the method contour"
        )
    return needed


def check_sampling(shape: tuple[int, int, int], available: int | None = None) -> None:
    """Refuse to sample a scan into a volume for which the memory will not suffice.

    Parameters
    ----------
    shape : tuple of int
        Voxels of the whole scan at the network's spacing.
    available : int, optional
        Bytes; this machine's free memory when None.

    Raises
    ------
    ParameterError
    """
    needed = BYTES_TO_SPARE + BYTES_PER_SAMPLE * math.prod(shape)
    free = available_memory() if available is None else available
    if free is not None and needed > free:
        raise ParameterError(
            f"at the network's spacing this scan has {' × '.join(map(str, shape))} voxels, which "
            f"takes about {needed / _GB:.1f} GB of memory, and {free / _GB:.1f} GB are free: check "
            "the voxel size, or use fewer slices (--slices)"
        )


def available_memory() -> int | None:
    """Free memory of this machine in bytes; None where it cannot be told."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def predict(
    network: "nn.Module | OnnxNetwork",
    volume: np.ndarray,
    dims: int,
    device: str = "cpu",
    progress: Progress | None = None,
) -> np.ndarray:
    """The probability of bone, from logits.

    Parameters
    ----------
    network : Module or OnnxNetwork
        As `runtimes.ready` gives it; a module is moved to the device.
    volume : ndarray of float32, shape (z, y, x)
        As `preprocessing.prepare` makes it.
    dims : int
        2: slice by slice; 3: at once.
    device : str
        "cpu" or "cuda".
    progress : callable, optional
        Called with a fraction and a message, for every slice or layer; may raise to cancel.

    Returns
    -------
    ndarray of uint8, shape (z, y, x)
        0 to 255 for 0 to 1.

    Raises
    ------
    ParameterError
        When the device's memory does not suffice.
    """
    import torch

    layout = torch.channels_last if dims == 2 else torch.channels_last_3d
    with torch.inference_mode(), _memory_said(device):
        network = placed(network, device, layout)
        run = _slice_by_slice if dims == 2 else _at_once
        return run(network, torch.from_numpy(volume), device, progress or (lambda *_: None))


def placed(network, device: str, layout):
    """Where and how it runs fastest; ONNX Runtime chooses for itself."""
    if isinstance(network, OnnxNetwork):
        return network
    from .folding import folded

    return folded(network).to(device, memory_format=layout)


def _slice_by_slice(network, volume, device, progress) -> np.ndarray:
    import torch

    result = np.empty(volume.shape, np.uint8)
    for first in range(0, len(volume), BATCH_2D):
        progress(first / len(volume), f"slice {first + 1} of {len(volume)}")
        batch = volume[first : first + BATCH_2D, None].to(device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        result[first : first + BATCH_2D] = _quantised(network(batch)[:, 0])
    progress(1.0, f"slice {len(volume)} of {len(volume)}")
    return result


def predict_slices(
    network: "nn.Module | OnnxNetwork",
    volume: np.ndarray,
    device: str = "cpu",
    progress: Progress | None = None,
) -> np.ndarray:
    """As `predict`, of a network that sees each slice with its two neighbours.

    Beyond the volume's ends it goes on as its end slices.
    """
    import torch

    result, last = np.empty(volume.shape, np.uint8), len(volume) - 1
    tell = progress or (lambda *_: None)
    with torch.inference_mode(), _memory_said(device):
        network = placed(network, device, torch.channels_last)
        for first in range(0, len(volume), BATCH_FINE):
            tell(first / len(volume), f"outlining slice {first + 1} of {len(volume)}")
            some = np.arange(first, min(first + BATCH_FINE, last + 1))
            seen = np.clip(some[:, None] + (-1, 0, 1), 0, last)
            batch = torch.from_numpy(volume[seen]).to(device)
            batch = batch.contiguous(memory_format=torch.channels_last)
            result[some] = _quantised(network(batch)[:, 0])
    return result


def _at_once(network, volume, device, progress) -> np.ndarray:
    from torch import nn

    if isinstance(network, OnnxNetwork):
        seen = volume[None, None]
        return _quantised(network.watched(seen, lambda: progress(0.5, "the network"))[0, 0])
    layers = [module for module in network.modules() if isinstance(module, nn.Conv3d)]
    done = 0

    def tick(*_):
        nonlocal done
        done += 1
        progress(min(1.0, done / len(layers)), f"network layer {done}")

    hooks = [layer.register_forward_hook(tick) for layer in layers]
    try:
        return _quantised(network(volume[None, None].to(device))[0, 0])
    finally:
        for hook in hooks:
            hook.remove()


def _quantised(logits) -> np.ndarray:
    import torch

    return (logits.float().sigmoid() * LEVELS).round().to(torch.uint8).cpu().numpy()


@contextmanager
def _memory_said(device: str):
    """One clear line where memory runs out after all."""
    import torch

    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        text = str(error).lower()
        if isinstance(error, RuntimeError) and "memory" not in text:
            raise
        other = "use --device cpu" if device != "cpu" else "use fewer slices (--slices)"
        raise ParameterError(f"the {device}'s memory did not suffice: {other}") from error
