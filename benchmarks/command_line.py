"""The shared parts of the benchmarks' command lines: sizes above zero, one-line errors, the folder of results."""

import argparse
from pathlib import Path
from typing import Final, NoReturn

TRACKED: Final = Path(__file__).parent / "results"  # the committed figures
DEFAULT_OUT: Final = Path("build") / "benchmarks"


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Exits with status 2."""
        self.exit(2, f"Error: {message}\n")

    def add_output(self) -> None:
        """Adds --out and --save; `output_folder` reads them."""
        self.add_argument("--out", type=Path, help=f"folder of the results, by default {DEFAULT_OUT}")
        self.add_argument("--save", action="store_true", help="write the results over the committed figures instead")

    def output_folder(self, options: argparse.Namespace) -> Path:
        """The folder of the results, made if it is missing."""
        if options.save and options.out is not None:
            self.error("give --out or --save, not both")
        folder: Path = TRACKED if options.save else options.out or DEFAULT_OUT
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.error(f"{folder}: {error.strerror}")
        return folder


def positive(text: str) -> int:
    """A whole number above zero, for argparse."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:12]) < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999,999,999")
    return int(text)


def positive_list(text: str) -> list[int]:
    """Whole numbers above zero, separated by commas, for argparse."""
    return [positive(part) for part in text.split(",")]
