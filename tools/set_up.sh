#!/bin/sh
# set_up.sh run|dev PYTHON ORIGIN: picks the Python and checks its version in one sentence, then calls set_up.py.
# ORIGIN is make's word for where PYTHON comes from; "file" means that the user did not choose one.
set -eu
cd "$(dirname "$0")/.."
kind=$1 python=$2 origin=$3
is_supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
# An environment that works already is kept, whatever python3 has become, unless the user names another Python.
if [ "$origin" = file ] && .venv/bin/python -c "$is_supported" 2>/dev/null; then
    python=.venv/bin/python
fi
if ! command -v "$python" >/dev/null; then
    echo "Error: there is no $python; openrollup needs Python 3.11, 3.12 or 3.13 (make run PYTHON=/path/to/python)" >&2
    exit 1
fi
if ! "$python" -c "$is_supported" 2>/dev/null; then
    version=$("$python" -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null || echo "no Python that runs")
    echo "Error: openrollup needs Python 3.11, 3.12 or 3.13, and $python is $version (choose one: make run PYTHON=python3.12)" >&2
    exit 1
fi
# The environment may have to be rebuilt, which its own Python cannot do.
if [ "$python" = .venv/bin/python ]; then
    python=$(.venv/bin/python -c 'import os, sys; print(os.path.realpath(sys.executable))')
fi
exec "$python" tools/set_up.py "$kind"
