"""Patients on a dask cluster."""

import json
import sys

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.segmentation.contour import ContourParameters
from napari_vbmd.study.batch import run_batch
from napari_vbmd.study.batch_case import BatchSettings
from napari_vbmd.study.cluster_workers import run_on_cluster

SETTINGS = BatchSettings("contour", ContourParameters())


@pytest.fixture(scope="module")
def address():
    """Of a scheduler with one worker, which speaks over the network as any other."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp://",
        dashboard_address=":0",
    ) as cluster:
        yield cluster.scheduler_address


def test_a_cohort_runs_on_a_cluster(draw, manifest_of, tmp_path, address):
    rows = [draw("a"), draw("b", density=650.0), {"scan": "gone.isq"}]
    told = []
    batch = run_batch(
        manifest_of(*rows),
        tmp_path / "out",
        SETTINGS,
        scheduler=address,
        progress=lambda fraction, message: told.append(fraction),
    )
    assert batch.counts == {"done": 2, "skipped": 0, "failed": 1}
    assert (tmp_path / "out" / "a" / "report.html").is_file()
    assert told[-1] == 1.0


def test_what_the_cluster_gives_up_is_a_failure(address):
    [(index, outcome)] = run_on_cluster([_Case()], address, work=json.loads)
    assert (index, outcome.status) == (0, "failed")
    assert outcome.reason.startswith("the cluster gave it up: TypeError: the JSON object must be")


def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("napari_vbmd.study.cluster_workers._PATIENCE_S", 0.5)
    with pytest.raises(ParameterError, match=r"tcp://127\.0\.0\.1:9: no scheduler answers"):
        next(run_on_cluster([], "tcp://127.0.0.1:9"))


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParameterError, match=r"pip install 'napari-vbmd\[cluster\]'"):
        next(run_on_cluster([], "tcp://127.0.0.1:9"))


class _Case:
    """Enough of a case for a work that refuses it."""

    name, settings = "x", SETTINGS
