"""brotli streams with a defect, read as op-node reads them: by andybalholm/brotli's Reader.

That decoder is Google's own, translated to Go, so the library that the `brotli` package brings along goes through the
same states. What it gives out before a defect depends on the pieces that it is fed: all decoded bytes when a piece of
input is used up, within a piece only what its window could not hold. The package's Python interface keeps none of the
bytes of the call that failed, so the library's C functions are called here.
"""

import ctypes
from collections.abc import Iterator
from importlib.util import find_spec

from derivation.stream import StreamEnd

_ERROR, _SUCCESS, _NEEDS_MORE_INPUT = 0, 1, 2
# The sizes of op-node's reads of a channel: a bufio.Reader's 4,096 bytes, of which the version byte is gone, then the
# decoder's own buffer of 32 KiB, filled past the bufio.Reader.
_FIRST_READ, _READ = 4096 - 1, 32 * 1024


def _load() -> ctypes.CDLL:
    spec = find_spec("_brotli")
    if spec is None or spec.origin is None:
        raise OSError("no module _brotli")
    library = ctypes.CDLL(spec.origin)
    pointer = ctypes.c_void_p
    library.BrotliDecoderCreateInstance.argtypes = [pointer, pointer, pointer]
    library.BrotliDecoderCreateInstance.restype = pointer
    library.BrotliDecoderDestroyInstance.argtypes = [pointer]
    library.BrotliDecoderDestroyInstance.restype = None
    library.BrotliDecoderHasMoreOutput.argtypes = [pointer]
    library.BrotliDecoderDecompressStream.argtypes = [pointer] * 6
    return library


try:
    _LIBRARY = _load()
except (OSError, AttributeError) as error:
    raise ImportError(
        "derivation needs the C functions in the brotli package's library (BrotliDecoderDecompressStream): "
        f"install the brotli package as it is published on PyPI ({error})"
    ) from error


class BrotliStream:
    """A brotli stream: a channel's data after its version byte."""

    def __init__(self, data: bytes) -> None:
        self._state = _LIBRARY.BrotliDecoderCreateInstance(None, None, None)
        if not self._state:
            raise MemoryError("no memory for a brotli decoder")
        self._inputs = _pieces(data)
        self._input = b""
        self._ended: StreamEnd | None = None

    def __del__(self) -> None:
        if self._state:
            _LIBRARY.BrotliDecoderDestroyInstance(self._state)
            self._state = None

    def read(self, size: int) -> tuple[bytes, StreamEnd | None]:
        """At most this many bytes of output, and how the stream ended if they are its last."""
        if self._ended is not None:
            return b"", self._ended
        if not self._input and not _LIBRARY.BrotliDecoderHasMoreOutput(self._state) and not self._refill():
            self._ended = StreamEnd.EOF
            return b"", self._ended
        while True:
            result, data = self._decode(size)
            if result == _ERROR or (result == _SUCCESS and self._input):
                # A defect, or bytes after the stream's end.
                self._ended = StreamEnd.DEFECT
                return data, self._ended
            if data or result != _NEEDS_MORE_INPUT:
                return data, None
            if not self._refill():
                self._ended = StreamEnd.DEFECT
                return b"", self._ended

    def _refill(self) -> bool:
        self._input = next(self._inputs, b"")
        return bool(self._input)

    def _decode(self, size: int) -> tuple[int, bytes]:
        """One call of the decoder: its result, and at most size bytes. What it did not take in stays the input."""
        source = ctypes.create_string_buffer(self._input, len(self._input))
        target = ctypes.create_string_buffer(size)
        next_in, available_in = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_size_t(len(self._input))
        next_out, available_out = ctypes.c_void_p(ctypes.addressof(target)), ctypes.c_size_t(size)
        result = _LIBRARY.BrotliDecoderDecompressStream(
            self._state,
            ctypes.byref(available_in),
            ctypes.byref(next_in),
            ctypes.byref(available_out),
            ctypes.byref(next_out),
            None,
        )
        self._input = self._input[len(self._input) - available_in.value :]
        return int(result), target.raw[: size - available_out.value]


def _pieces(data: bytes) -> Iterator[bytes]:
    yield data[:_FIRST_READ]
    for start in range(_FIRST_READ, len(data), _READ):
        yield data[start : start + _READ]
