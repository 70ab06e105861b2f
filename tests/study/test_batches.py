"""Which volumes a step is shown."""

from types import SimpleNamespace

import numpy as np

from napari_vbmd.study.batches import Batches, Plan
from napari_vbmd.study.volumes import VolumeStore, prepare_all
from napari_vbmd.study.whole_hand import WholeHand

NAMES = SimpleNamespace(batch=lambda volumes, draw: (list(volumes), draw.random()))


def batches(rank=0, world=1, batch=2, seed=0, volumes="abcde", steps=50):
    plan = Plan(steps=steps, every=10, batch=batch, rate=0.1, seed=seed)
    fabric = SimpleNamespace(global_rank=rank, world_size=world)
    return Batches(NAMES, volumes, plan, fabric)


def shown(drawn):
    return [name for step in range(len(drawn)) for name in drawn[step][0]]


def test_every_volume_is_shown_once_before_any_is_again():
    names = shown(batches())
    turns = [names[k : k + 5] for k in range(0, 100, 5)]
    assert all(sorted(turn) == list("abcde") for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 10, "in another order each time"


def test_processes_share_the_volumes():
    one, other = (batches(rank, world=2, batch=1) for rank in (0, 1))
    together = [name for step in range(50) for name in (*one[step][0], *other[step][0])]
    assert together == shown(batches(batch=2))
    assert one[7][1] != other[7][1], "each has a chance of its own"


def test_a_step_is_the_same_whenever_it_is_drawn():
    drawn = batches()
    assert drawn[31] == batches()[31] != drawn[30]
    assert list(drawn.from_step(45)) == [drawn[step] for step in range(45, 50)]
    assert shown(batches(seed=1)) != shown(drawn)


def test_workers_draw_the_same_batches(draw, manifest_of, tmp_path):
    task = WholeHand("unet-3d", "improved")
    rows = [draw("a"), draw("b", radius=7.0)]
    volumes = prepare_all(
        manifest_of(*rows).cases, task, VolumeStore(tmp_path / "volumes"), workers=2
    )
    task.learn_from(volumes)
    alone, helped = (
        Batches(
            task,
            volumes,
            Plan(steps=3, every=1, batch=1, rate=0.1, workers=workers),
            SimpleNamespace(global_rank=0, world_size=1),
        )
        for workers in (0, 1)
    )
    for one, other in zip(alone.from_step(1), helped.from_step(1), strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
