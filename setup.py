"""Which folders go into the package; everything else is in pyproject.toml."""

from setuptools import find_namespace_packages, setup

_FOLDERS = ["openrollup", "rollup", "sequencer", "derivation", "attribution_precompile", "benchmarks"]
_EXAMPLES = ["rollup.examples", *("rollup.examples." + name for name in find_namespace_packages("examples"))]

setup(
    packages=[
        *find_namespace_packages(include=[f"{name}{end}" for name in _FOLDERS for end in ("", ".*")]),
        *_EXAMPLES,
    ],
    package_dir={"rollup.examples": "examples"},
)
