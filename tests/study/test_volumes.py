"""Pre-processed volumes on disk."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from napari_vbmd.errors import FileFormatError, ParameterError, WriteError
from napari_vbmd.io.files import read_scan
from napari_vbmd.study import volumes
from napari_vbmd.study.volumes import Prepared, VolumeStore, prepare_all


@dataclass
class Mean:
    """A task as far as volumes know one: keeps the scan's mean."""

    recipe: dict = field(default_factory=lambda: {"what": "mean"})
    seen: list = field(default_factory=list)

    def prepare(self, case):
        self.seen.append(case.name)
        if case.name == "bad.isq":
            raise ParameterError(f"{case.scan}: not to my taste")
        mean = np.asarray(read_scan(case.scan).voxels).mean(axis=(1, 2))
        return Prepared({"mean": mean.astype(np.float32)}, {"slices": len(mean)})


@pytest.fixture
def store(tmp_path):
    return VolumeStore(tmp_path / "volumes")


def test_a_volume_is_made_once(draw, manifest_of, store):
    cases = manifest_of(draw("a"), draw("b", density=500.0)).cases
    task, told = Mean(), []
    made = prepare_all(cases, task, store, progress=lambda _, message: told.append(message))
    assert [one.name for one in made] == ["a.isq", "b.isq"]
    assert made[0].facts == {"slices": 12}
    expected = np.asarray(read_scan(cases[1].scan).voxels).mean(axis=(1, 2))
    np.testing.assert_allclose(made[1].array("mean"), expected, rtol=1e-6)
    assert isinstance(made[1].array("mean"), np.memmap)
    assert told[-1] == "prepare: 2 of 2 volumes"
    again = prepare_all(cases, task, store)
    assert again == made
    assert task.seen == ["a.isq", "b.isq"]


def test_what_changed_is_made_anew(draw, manifest_of, store):
    row, task = draw("a"), Mean()

    def key(**changes):
        return prepare_all(manifest_of(row | changes).cases, task, store)[0].stem

    first = key()
    assert key() == first
    assert key(patient="P1", age=50) == first, "what is not shown to the network does not matter"
    others = [key(side="left"), key(first_slice=2, last_slice=5)]
    draw("a", slices=(3, 9))
    others.append(key())
    task.recipe = {"what": "another"}
    others.append(key())
    assert len({first, *others}) == 5


def test_files_that_did_not_change_are_not_hashed_again(draw, manifest_of, store, monkeypatch):
    cases = manifest_of(draw("a")).cases
    made = prepare_all(cases, Mean(), store)
    monkeypatch.setattr(volumes, "file_hash", pytest.fail)
    assert prepare_all(cases, Mean(), store) == made


def test_an_interrupted_attempt_is_made_anew(draw, manifest_of, store):
    cases = manifest_of(draw("a")).cases
    (made,) = prepare_all(cases, Mean(), store)
    task = Mean()
    for lost in (".json", ".mean.npy"):
        (store.folder / f"{made.stem.rsplit('/', 1)[-1]}{lost}").unlink()
        assert prepare_all(cases, task, store) == [made]
    assert task.seen == ["a.isq", "a.isq"]


def test_all_rows_that_cannot_be_used_are_named_and_the_others_kept(draw, manifest_of, store):
    rows = [draw("a"), draw("bad"), draw("c") | {"scan": "none.isq"}, draw("d")]
    with pytest.raises(FileFormatError) as caught:
        prepare_all(manifest_of(*rows).cases, Mean(), store)
    for said in ("2 rows cannot be used", "line 3: ", "not to my taste", "line 4: ", "none.isq"):
        assert said in str(caught.value)
    task = Mean()
    prepare_all(manifest_of(rows[0], rows[3]).cases, task, store)
    assert task.seen == []


def test_a_damaged_volume_is_named(draw, manifest_of, store, refused):
    (made,) = prepare_all(manifest_of(draw("a")).cases, Mean(), store)
    path = store.folder / f"{made.stem.rsplit('/', 1)[-1]}.mean.npy"
    path.write_bytes(path.read_bytes()[:100])
    with refused(FileFormatError, path, "delete this file"):
        made.array("mean")


def test_a_full_disk_ends_the_work_at_once(draw, manifest_of, store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    task = Mean()
    with pytest.raises(WriteError, match="the disk is full"):
        prepare_all(manifest_of(draw("a"), draw("b")).cases, task, store)
    assert task.seen == ["a.isq"]


def test_a_cancel_leaves_what_was_made(draw, manifest_of, store):
    cases = manifest_of(draw("a"), draw("b", density=500.0)).cases

    def cancel(_, message):
        if message.startswith("prepare: 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_all(cases, Mean(), store, progress=cancel)
    task = Mean()
    prepare_all(cases, task, store)
    assert task.seen == ["b.isq"]
