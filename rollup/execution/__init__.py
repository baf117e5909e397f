"""Execution of blocks by py-evm. Importing any module of this package loads py-evm the quick way."""

from rollup.execution.py_evm_imports import load_without_curves

load_without_curves()
