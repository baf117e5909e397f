"""Chain data on disk (LMDB) or in memory, as tables of bytes."""
