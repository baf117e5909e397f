"""Fast construction of named tuples for the hot loop."""

# `new(Usage, (payer, fee, ...))` makes the same value as `Usage(payer, fee, ...)` four times as fast, because it skips
# the Python function that NamedTuple generates for keyword arguments.
new = tuple.__new__
