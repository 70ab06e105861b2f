#!/bin/sh
# Prints the first Python that runs, is 3.11 or newer, and can make a virtual environment.
# 3.11 comes first: it is the version that the tests run with.
# Trying each matters: a version manager leaves commands on the path that do not run.

without_venv=
for python in python3.11 python3 python3.12 python3.13 python3.14 python; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
    without_venv="${without_venv:-$python}"
done

if [ -n "$without_venv" ]; then
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Python $version is here but cannot make virtual environments; on Debian or Ubuntu:" \
        "sudo apt-get install python$version-venv" >&2
else
    echo "No Python 3.11 or newer found: install one, or name it with make PYTHON=/path/to/python3" >&2
fi
exit 1
