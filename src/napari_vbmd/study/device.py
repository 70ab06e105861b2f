"""Where a training runs: Lightning Fabric's devices, strategies and precisions."""

import logging
import os
import warnings
from typing import TYPE_CHECKING

from ..errors import ParameterError
from ..segmentation.inference import choose_device

if TYPE_CHECKING:
    from lightning_fabric import Fabric

AUTO = "auto"


def is_first_process() -> bool:
    """Whether this process speaks for the training; the others were started by it."""
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"


def make_fabric(
    device: str = AUTO, devices: str = "1", strategy: str = AUTO, precision: str = AUTO
) -> "Fabric":
    """The place where a training runs.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Default auto: the GPU where there is one.
    devices : str
        How many, or which (``0,1``); on the CPU the number of processes.
    strategy : str
        Lightning's name for how several work together; auto is ``ddp`` for more than one.
    precision : str
        Lightning's name; auto is mixed on a GPU (bf16 where it can, else 16 bits), and 32 bits on
        the CPU.

    Raises
    ------
    ParameterError
        When pytorch-lightning is missing, or does not know or cannot do what is asked.
    """
    chosen, _ = choose_device(device)
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies import DDPStrategy, SingleDeviceStrategy
    except ImportError as error:
        raise ParameterError(
            'training needs pytorch-lightning: pip install "napari-vbmd[train]"'
        ) from error
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", "Grad strides do not match")  # of 1 x 1 x 1 convolutions
    try:
        fabric = Fabric(
            accelerator=chosen,
            devices=int(devices) if devices.isdigit() else devices,
            strategy=strategy,
            precision=_precision(chosen) if precision == AUTO else precision,
        )
    except Exception as error:  # Lightning raises many kinds for what it cannot do
        asked = f"devices {devices}, strategy {strategy}, precision {precision}"
        raise ParameterError(f"{asked}: {' '.join(str(error).split())[:300]}") from error
    if type(fabric.strategy) not in (SingleDeviceStrategy, DDPStrategy) or _spawns(fabric):
        raise ParameterError(
            f"strategy {strategy}: it shards the network or forks; use auto or ddp"
        )
    return fabric


def describe(fabric: "Fabric") -> str:
    """The place, for people to read."""
    import torch

    cuda = fabric.device.type == "cuda"
    name = torch.cuda.get_device_name(fabric.device) if cuda else "CPU"
    processes = f"{fabric.world_size} processes" if fabric.world_size > 1 else "1 process"
    threads = "" if cuda else f", {torch.get_num_threads()} threads"
    return f"{name}, {processes}{threads}, precision {fabric._precision.precision}"


def _precision(device: str) -> str:
    import torch

    if device == "cpu":
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported(False) else "16-mixed"


def _spawns(fabric: "Fabric") -> bool:
    """Whether the processes are copies of this one: then what is passed must be plain data."""
    return "MultiProcessing" in type(fabric._strategy.launcher).__name__
