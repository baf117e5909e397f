"""Money: exact amounts are integers in wei of OPEN; simulated ones are float64 OPEN. Dollars are exact fractions."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

WEI: Final = 10**18  # wei per OPEN
GWEI: Final = 10**9  # wei per gwei
ALL_BPS: Final = 10_000
MONTHS_PER_YEAR: Final = 12
MONTH_SECONDS: Final = 30 * 86_400  # of a rate that was observed


def open_text(wei: int) -> str:
    """Wei [wei] as a decimal number of OPEN that loses nothing, such as `0.0125`."""
    sign, wei = ("-", -wei) if wei < 0 else ("", wei)
    whole, part = divmod(wei, WEI)
    return f"{sign}{whole}" + (f".{part:018d}".rstrip("0") if part else "")


def open_float(wei: int) -> float:
    """Wei [wei] as float64 OPEN [OPEN], correctly rounded."""
    return float(Fraction(wei, WEI))


def wei_of_usd(usd: Fraction, open_usd: Fraction) -> int:
    """Dollars [$] in wei [wei] at `open_usd` [$ per OPEN], rounded up: a cost is never understated."""
    return -(-usd * WEI // open_usd)


def usd_of_wei(wei: int, open_usd: Fraction) -> Fraction:
    """Wei [wei] in dollars [$] at `open_usd` [$ per OPEN], exact."""
    return Fraction(wei, WEI) * open_usd


def usd_text(usd: Fraction) -> str:
    """Dollars [$] with cents, and with three significant digits below a dollar, such as `$0.0357`."""
    sign, usd = ("-", -usd) if usd < 0 else ("", usd)
    if usd >= 1 or usd == 0:
        return f"{sign}${float(usd):,.2f}"
    text = f"{Decimal(usd.numerator) / Decimal(usd.denominator):.3g}"
    whole, _, part = f"{Decimal(text):f}".partition(".")
    return f"{sign}${whole}.{part.ljust(2, '0')}"


def ceil_div(dividend: int, divisor: int) -> int:
    """The quotient of two integers, rounded up."""
    return -(-dividend // divisor)
