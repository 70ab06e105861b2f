"""The command as a process: its status, its streams, and how it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-c", "import sys; from napari_vbmd.cli import main; sys.exit(main())"]


def test_an_interrupt_is_one_line_and_leaves_nothing(cli, scan, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_vbmd.pipeline.patient.measure_run", interrupt)
    status, out, err = cli("run", "--method", "contour", scan, "--out", tmp_path / "r", "--quiet")
    assert (status, out) == (130, "")
    assert err == "napari-vbmd: interrupted; no half-written file is left\n"
    assert not (tmp_path / "r").exists()


def test_quiet_says_nothing_on_stderr(cli, scan, mask):
    assert cli("measure", scan, mask, "--quiet")[2] == ""


def test_in_a_log_progress_is_a_line_a_stage(cli, scan, tmp_path):
    err = cli("run", "--method", "contour", scan, "--out", tmp_path / "r")[2]
    assert "\r" not in err
    assert len(err.splitlines()) < 12


def test_on_a_terminal_progress_is_one_line_that_goes_away(monkeypatch):
    from io import StringIO

    from napari_vbmd.cli.console import Console

    stream = StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    with Console(stream=stream) as console:
        console.progress(0.25, "segment: slice 3 of 9")
        console.note("a note")
    assert stream.getvalue() == "\r 25 %  segment: slice 3 of 9\x1b[K\r\x1b[Ka note\n\r\x1b[K"


def test_a_process_ends_with_the_status_and_without_a_traceback(tmp_path):
    done = subprocess.run([*COMMAND, "info", tmp_path / "none.isq"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_a_reader_that_leaves_early_is_no_error(scan):
    process = subprocess.Popen(
        [*COMMAND, "info", scan], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    error = process.stderr.read()
    assert (process.wait(timeout=60), error) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_under_stdout_is_one_line(scan):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "info", scan], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "napari-vbmd: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_under_a_mask_is_one_line_and_leaves_nothing(scan, tmp_path):
    code = (
        "import resource, sys; from napari_vbmd.cli import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)); sys.exit(main())"
    )
    for name in ("o.aim", "o.nii.gz"):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                code,
                "segment",
                "--method",
                "contour",
                scan,
                tmp_path / name,
                "--quiet",
            ],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert "the disk is full" in done.stderr or "is the disk full" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["scan.isq"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal")
def test_control_c_ends_a_process_with_130_and_leaves_nothing(scan, tmp_path):
    code = (
        "import sys, time, napari_vbmd.pipeline.mask as m; from napari_vbmd.cli import main\n"
        "def slow(*_): print('SLOW', flush=True); time.sleep(60)\n"
        "m.segment = slow; sys.exit(main())"
    )
    words = ["run", "--method", "contour", scan, "--out", tmp_path / "r", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"SLOW\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error.count(b"\n") == 1
    assert not (tmp_path / "r").exists()


def test_the_installed_command_leads_here():
    command = shutil.which("napari-vbmd", path=os.path.dirname(sys.executable))
    if command is None:
        pytest.skip("the package is not installed beside this Python")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("napari-vbmd ")
