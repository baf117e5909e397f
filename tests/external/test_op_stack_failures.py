"""A program that ends, or that derives nothing more, ends a test at once and in one line."""

import sys

import pytest

from tests.external.op_stack import Program, last_complaint


def test_the_last_complaint_is_the_newest_error_or_warning(tmp_path):
    log = tmp_path / "log"
    log.write_text("t=1 lvl=info a\nt=2 lvl=error b\nt=3 lvl=info c\n")
    assert last_complaint(log) == "t=2 lvl=error b"
    log.write_text("one\ntwo\n")
    assert last_complaint(log) == "two"
    log.write_text("")
    assert last_complaint(log) == "it wrote nothing"


def test_a_program_that_ended_is_named_with_its_version(tmp_path):
    code = "import sys; print('flag provided but not defined: -new'); sys.exit(1)"
    with Program(tmp_path / "log", sys.executable, "-c", code) as program:
        program.process.wait()
        with pytest.raises(pytest.fail.Exception) as failure:
            program.must_run()
    version = sys.version.partition(" ")[0]
    assert str(failure.value) == f"Python {version} ended: flag provided but not defined: -new"
