"""Wire formats and rules of the OP Stack: pure functions and plain data, no I/O."""
