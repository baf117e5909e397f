"""`python -m rollup.cli` is `openrollup`."""

from rollup.cli import main

main(prog_name="openrollup")
