"""Training from a manifest: who trains and validates, volumes, the loop, and what is left behind.

| file | what it is |
| --- | --- |
| best.pt | weights of the best validation: what `segment --weights` takes |
| last.ckpt | where the training stands: the same command goes on from there |
| metrics.csv, curves.png | loss and validation over the steps |
| cohort.csv | the manifest with its split |
| train.json | settings, versions, and how it ended |
| volumes/ | the pre-processed volumes, unless another folder is given |
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ..errors import ParameterError, WriteError
from ..io.results import check_folder
from ..provenance import public_command
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.weights_file import WeightsInfo, save_weights
from .batches import Plan
from .checkpoint import CHECKPOINT, Standing, read_checkpoint
from .cohort import TRAINING, VALIDATION, Cohort, write_cohort
from .device import is_first_process, make_fabric
from .encoder import encoder_weights, put_encoder
from .presets import TRAINING_PRESETS
from .stopper import forget_stop, stop_is_asked
from .task import Task
from .train_record import COHORT, RECORD, record_of, write_record
from .train_settings import TASKS, TrainSettings
from .train_state import LOCK
from .training import Training
from .volumes import Progress, Volume, VolumeStore, prepare_all

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn

BEST = "best.pt"


def train(
    cohort: Cohort,
    settings: TrainSettings,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> dict[str, Any] | None:
    """Train a network, or go on with its training.

    Parameters
    ----------
    cohort : Cohort
    settings : TrainSettings
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel, and what was kept stays.
    command : sequence of str
        As typed, for train.json.

    Returns
    -------
    dict or None
        The content of train.json; None in a process that another one started.

    Raises
    ------
    VbmdError
        When data or settings cannot be used, the loss is no number any more, or the disk is full.
    KeyboardInterrupt
        After an interrupt; its message says what was kept.
    """
    tell = progress or (lambda *_: None)
    _check(cohort, settings)
    fabric = make_fabric(settings.device, settings.devices, settings.strategy, settings.precision)
    if not is_first_process():
        with _no_echo():
            _train(cohort, settings, fabric, tell, {})
        return None
    check_folder(settings.out)
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.out / LOCK, timeout=0):
            forget_stop(settings.out)
            return _train(cohort, settings, fabric, tell, {"command": public_command(command)})
    except Timeout:
        raise ParameterError(
            f"{settings.out}: another training is under way in this folder; wait for it, or choose "
            "another folder"
        ) from None


def _check(cohort: Cohort, settings: TrainSettings) -> None:
    """Refuse what needs no look at any file."""
    for part in (TRAINING, VALIDATION):
        if not cohort.part(part):
            raise ParameterError(
                f"{cohort.manifest.path}: no scan for {part}; a cohort needs two patients at least"
            )
    foreign = settings.out / BEST
    if foreign.exists() and not (settings.out / RECORD).exists():
        raise WriteError(f"{foreign}: not of a training here; choose another folder")


def _train(
    cohort: Cohort, settings: TrainSettings, fabric: "Fabric", tell: Progress, about: dict[str, Any]
) -> dict[str, Any]:
    configuration, preset, plan = settings.configuration, settings.preset, settings.plan()
    task = TASKS[configuration](configuration, preset, settings.calibration, settings.label)
    training, validation = _volumes(cohort, settings, task, tell)
    task.learn_from(training)
    same = _identity(settings, plan, training, validation)
    kept = read_checkpoint(settings.out / CHECKPOINT)
    _check_same(settings.out, same, kept)
    begin = _beginning(settings, is_new=kept is None)
    record = about | record_of(cohort, settings, plan, task, fabric, training, validation)
    work = Training(
        task,
        TRAINING_PRESETS[preset],
        plan,
        training,
        validation,
        settings.out,
        same,
        begin=begin,
        keep_best=_keeper(settings, task, record["trained_on"]),
        progress=tell,
    )
    if is_first_process():
        write_cohort(cohort, settings.out / COHORT)
        write_record(settings.out, record | {"ending": "under way"})
    ending, standing = fabric.launch(lambda fabric: work.run(fabric, kept))
    _leave(fabric)
    return _ended(settings, plan, record, ending, standing) if is_first_process() else {}


def _beginning(settings: TrainSettings, is_new: bool) -> Callable[["nn.Module"], None]:
    """What is done to a new network: nothing, or an encoder's weights, which are fetched now."""
    if not (is_new and CONFIGURATIONS[settings.configuration].pretrained_encoder):
        return lambda _: None
    weights = encoder_weights(settings.encoder)
    name = str(settings.encoder or "the downloaded encoder")
    return lambda network: put_encoder(network, weights, name)


def _keeper(
    settings: TrainSettings, task: Task, trained_on: str
) -> Callable[["nn.Module", Standing], None]:
    """Writes best.pt."""
    sight = task.sight

    def keep(network: "nn.Module", standing: Standing) -> None:
        info = WeightsInfo(
            settings.configuration,
            task.normalisation.mean,
            task.normalisation.sd,
            preset=sight.name,
            threshold=sight.threshold,
            held_out_dice=standing.best_dice,
            trained_on=f"{trained_on}, {standing.step} steps",
        )
        save_weights(settings.out / BEST, network, info)

    return keep


def _volumes(
    cohort: Cohort, settings: TrainSettings, task: Task, tell: Progress
) -> tuple[list[Volume], list[Volume]]:
    """Those to train and to validate on, all prepared."""
    store = VolumeStore(settings.cache or settings.out / "volumes")
    trained, held_out = cohort.part(TRAINING), cohort.part(VALIDATION)
    most = settings.validation or len(held_out)
    if most < len(held_out):  # evenly from all of them
        held_out = [held_out[k * len(held_out) // most] for k in range(most)]
    cases = [*trained, *held_out]
    listening = _stoppable(settings.out, tell)
    volumes = prepare_all(cases, task, store, settings.workers, listening)
    training, validation = volumes[: len(trained)], volumes[len(trained) :]
    of_stem = {volume.stem: volume.name for volume in training}
    for volume in validation:
        if volume.stem in of_stem:
            raise ParameterError(
                f"{cohort.manifest.path}: {of_stem[volume.stem]} (training) and {volume.name} "
                "(validation) are copies of one scan; leave one of them out"
            )
    return training, validation


def _stoppable(out: Path, tell: Progress) -> Progress:
    """A progress that hears of the file ``stop``."""

    def listening(fraction: float, message: str) -> None:
        tell(fraction, message)
        if stop_is_asked(out):
            forget_stop(out)
            raise KeyboardInterrupt(
                "stopped while the scans were prepared; those that are ready are kept, and the "
                "same command goes on"
            )

    return listening


def _identity(settings: TrainSettings, plan: Plan, training, validation) -> dict[str, Any]:
    """What must be the same for a training to go on."""
    content = [[Path(volume.stem).name for volume in part] for part in (training, validation)]
    return {
        "configuration": settings.configuration,
        "preset": settings.preset,
        "seed": plan.seed,
        "batch": plan.batch,
        "cohort": hashlib.sha256(json.dumps(content).encode()).hexdigest(),
    }


def _check_same(out: Path, wanted: Mapping[str, Any], kept: Mapping[str, Any] | None) -> None:
    if kept is None:
        return
    found = kept["settings"]
    for name, value in wanted.items():
        if found.get(name) != value:
            said = "" if name == "cohort" else f" ({found.get(name)}, not {value})"
            raise ParameterError(
                f"{out}: holds a training with another {name}{said}; choose another folder"
            )


def _ended(settings, plan, record, ending, standing: Standing) -> dict[str, Any]:
    """Write down how it ended, and say it."""
    record |= {
        "ending": ending,
        "step": standing.step,
        "steps": plan.steps,
        "seconds": round(standing.seconds, 1),
        "best": {"step": standing.best_step, "validation_dice": standing.best_dice}
        if standing.best_dice >= 0
        else None,
    }
    write_record(settings.out, record)
    if ending == "interrupted":
        raise KeyboardInterrupt(
            f"interrupted after step {standing.step} of {plan.steps}, all of which is kept: the "
            "same command goes on from there"
        )
    if ending == "diverged":
        raise ParameterError(
            f"{settings.out}: the loss is no number any more after step {standing.step} (learning "
            f"rate {plan.rate:g}); the last checkpoint is as it was: go on from it with a lower "
            "--rate, or begin in another folder"
        )
    return record


@contextmanager
def _no_echo() -> Iterator[None]:
    """Say nothing of a first process that ended: it has said why itself."""
    try:
        yield
    except RuntimeError as error:
        if "connection" not in str(error).lower():
            raise


def _leave(fabric: "Fabric") -> None:
    """End the talk between processes."""
    import torch

    if fabric.world_size > 1 and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
