"""A load of signed transactions on any running node, sent by a process of its own.

`openrollup bench` and `python -m benchmarks` use it. A `Job` says what is sent, `GeneratorProcess` sends it, and an
`Outcome` says what became of it.
"""
