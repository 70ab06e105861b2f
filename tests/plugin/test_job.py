"""Work in a thread: how it ends, that a cancel takes effect, and errors in one line."""

import gc
import threading
import weakref

import pytest
from qtpy.QtWidgets import QApplication

from napari_vbmd.errors import NoBoneError
from napari_vbmd.plugin.job import Cancelled, Job, sentence


class Heard:
    """The signals of a job, in order."""

    def __init__(self, job):
        self.names, self.values = [], {}
        for name in ("progressed", "succeeded", "failed", "cancelled", "ended"):
            getattr(job, name).connect(lambda *values, n=name: self._hear(n, values))

    def _hear(self, name, values):
        self.values[name] = values
        if name != "progressed":
            self.names.append(name)


@pytest.fixture
def start(qtbot):
    """Start a job and give it with what is heard of it."""

    def start(work):
        job = Job(work, "Working")
        heard = Heard(job)
        job.start()
        return job, heard

    return start


@pytest.fixture
def until_ended(qtbot):
    return lambda heard: qtbot.waitUntil(lambda: "ended" in heard.names, timeout=10_000)


def test_result_comes_back_in_the_main_thread(start, until_ended):
    threads = []

    def work(progress):
        threads.append(threading.current_thread())
        return 42

    job, heard = start(work)
    job.succeeded.connect(lambda _: threads.append(threading.current_thread()))
    until_ended(heard)
    assert heard.names == ["succeeded", "ended"]
    assert heard.values["succeeded"] == (42,)
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


class Volume:
    """What takes much memory."""


def test_what_was_worked_with_and_came_out_is_let_go(viewer, qtbot):
    given, made = Volume(), []

    def work(progress, given=given):
        result = Volume()
        made.append(weakref.ref(result))
        return result

    held = weakref.ref(given)
    job = Job(work, "Working")
    ended = []
    job.ended.connect(lambda: ended.append(True))
    job.start()
    del work, given
    qtbot.waitUntil(lambda: bool(ended), timeout=10_000)
    gc.collect()
    assert held() is None, "though napari keeps the worker"
    assert made[0]() is None, "though the job is still there"


@pytest.mark.parametrize("quiet", [False, True])
def test_closing_the_window_asks_about_a_job_unless_it_is_quiet(viewer, qtbot, quiet):
    go_on = threading.Event()
    job = Job(lambda progress: go_on.wait(10), "Working", quiet=quiet)
    heard = Heard(job)
    job.start()
    asked = viewer.window._task_status_manager.get_status()
    go_on.set()
    qtbot.waitUntil(lambda: "ended" in heard.names, timeout=10_000)
    assert any("Working" in text for text in asked) is not quiet


def test_none_is_a_result_too(start, until_ended):
    _, heard = start(lambda progress: None)
    until_ended(heard)
    assert heard.names == ["succeeded", "ended"]


def test_progress_is_passed_on(start, until_ended):
    _, heard = start(lambda progress: progress(0.25, "slice 3"))
    until_ended(heard)
    assert heard.values["progressed"] == (0.25, "slice 3")


def test_progress_of_many_short_steps_does_not_flood_the_window(start, until_ended):
    count, listening = [], threading.Event()

    def work(progress):
        listening.wait(10)
        for i in range(20_000):
            progress(i / 20_000, "step")

    job, heard = start(work)
    job.progressed.connect(lambda *_: count.append(1))
    listening.set()
    until_ended(heard)
    assert 1 <= len(count) < 2000


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NoBoneError("scan: no bone; lower the threshold"), "scan: no bone; lower the threshold"),
        (MemoryError(), "not enough memory; close other programs, or choose fewer slices"),
        (ValueError("a\nb  c"), "unexpected ValueError: a b c; please report this"),
        (RuntimeError("gone"), "unexpected RuntimeError: gone; please report this"),
        (KeyError(), "unexpected KeyError: ; please report this"),
    ],
)
def test_error_in_the_work_is_one_line(start, until_ended, error, text):
    def work(progress):
        raise error

    _, heard = start(work)
    until_ended(heard)
    assert heard.names == ["failed", "ended"]
    assert heard.values["failed"] == (text,)
    assert "\n" not in sentence(error)


def test_cancel_takes_effect_at_the_next_report(start, until_ended, gate, entered):
    after = []

    def work(progress):
        gate.wait()
        progress(0.5, "half")
        after.append("went on")

    job, heard = start(work)
    entered()
    job.cancel()
    gate.opened.set()
    until_ended(heard)
    assert heard.names == ["cancelled", "ended"]
    assert after == []


def test_cancel_after_the_last_report_still_ends_as_cancelled(start, until_ended, gate, entered):
    def work(progress):
        gate.wait()
        return "too late"

    job, heard = start(work)
    entered()
    job.cancel()
    gate.opened.set()
    until_ended(heard)
    assert heard.names == ["cancelled", "ended"]


def test_cancel_while_the_result_is_on_its_way_ends_as_cancelled(start, until_ended, gate, entered):
    done = threading.Event()

    def work(progress):
        gate.wait()
        done.set()
        return 1

    job, heard = start(work)
    entered()
    gate.opened.set()
    assert done.wait(10)
    job.cancel()
    until_ended(heard)
    assert heard.names == ["cancelled", "ended"]


def test_error_after_a_cancel_ends_as_cancelled(start, until_ended, gate, entered):
    def work(progress):
        gate.wait()
        raise ValueError("because it was cut short")

    job, heard = start(work)
    entered()
    job.cancel()
    gate.opened.set()
    until_ended(heard)
    assert heard.names == ["cancelled", "ended"]


def test_cancel_before_the_work_began_ends_too(start, until_ended):
    job, heard = start(lambda progress: progress(0.0, "first"))
    job.cancel()
    until_ended(heard)
    assert heard.names == ["cancelled", "ended"]


def test_cancel_after_the_end_is_nothing(start, until_ended):
    job, heard = start(lambda progress: 1)
    until_ended(heard)
    job.cancel()
    QApplication.processEvents()
    assert heard.names == ["succeeded", "ended"]


def test_napari_knows_the_running_work_by_its_title(viewer, start, until_ended, gate, entered):
    def work(progress):
        gate.wait()
        progress(1.0, "done")

    _, heard = start(work)
    entered()
    QApplication.processEvents()
    status = "\n".join(viewer.window._task_status_manager.get_status())
    assert "Working" in status
    gate.opened.set()
    until_ended(heard)
    QApplication.processEvents()
    assert not viewer.window._task_status_manager.is_busy()


def test_cancelled_is_no_error_that_a_core_function_swallows():
    assert not issubclass(Cancelled, ValueError | OSError | RuntimeError)
