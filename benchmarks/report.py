"""A comparison's results as JSON, CSV, Markdown and a picture (SVG)."""

import csv
import io
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from benchmarks.comparison import Result, Sample, median
from rollup.files import write_file

_OURS, _PEER = "#2a6fdb", "#c9603a"
_ROW, _LEFT, _WIDTH = 46, 330, 900
_SAMPLE_FIELDS: Final = [field.name for field in fields(Sample)]


def machine() -> dict[str, Any]:
    """The machine and the interpreter that measured."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory GB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "Python": platform.python_version(),
    }


def load_average() -> float:
    """Processes that wanted a core in the last minute: far above the cores used here, the machine was shared."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


class Report:
    """A table whose cases come one after the other: NAME.json, .csv, .md and .svg."""

    def __init__(self, folder: Path, name: str, title: str, facts: dict[str, Any]) -> None:
        """facts: what a reader must know of the run."""
        self._name = name
        self._title = title
        self._facts = facts
        self._results: list[Result] = []
        self.paths = [folder / f"{name}.{ending}" for ending in ("json", "csv", "md", "svg")]

    def add(self, result: Result, count: int) -> None:
        """Writes the files with one more result. count: of the cases that the table will have."""
        self._results.append(result)
        done = len(self._results)
        if done < count:
            self._facts["cases"] = f"{done} of {count}, the run has not ended"
        else:
            self._facts.pop("cases", None)
        data = {"title": self._title, **self._facts, "results": [item.to_json() for item in self._results]}
        texts = json.dumps(data, indent=1) + "\n", _csv(self._results), self.markdown(), self._picture()
        for path, text in zip(self.paths, texts, strict=True):
            write_file(path, text)

    def markdown(self) -> str:
        """The table so far."""
        return markdown(self._title, self._facts, self._results, f"{self._name}.svg")

    def _picture(self) -> str:
        return _svg(self._title, self._results)


def _csv(results: Sequence[Result]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["case", "server", "workload", "contributors", "batch", "run", *_SAMPLE_FIELDS])
    for result in results:
        case = result.case
        for side, samples in ((case.ours, result.ours), (case.peer, result.peer)):
            if side is None:
                continue
            for number, sample in enumerate(samples, 1):
                head = [case.name, side.server, side.workload, side.shape.contributors, case.batch, number]
                writer.writerow(head + [getattr(sample, name) for name in _SAMPLE_FIELDS])
    return out.getvalue()


def markdown(title: str, facts: dict[str, Any], results: Sequence[Result], picture: str) -> str:
    """The table with medians, spreads and, where a ratio is asked for, whether it was reached."""
    lines = [f"# {title}", "", "; ".join(f"{name}: {_fact(value)}" for name, value in facts.items()) + ".", ""]
    lines += [
        "Medians, with the lowest and the highest run in brackets. CPU is of all server processes, per transaction;",
        "ours counts until every block is safe on both nodes. The generator's column is its part of one core.",
        "",
        "| end to end | ours tx/s | peer tx/s | ratio | must | aim | ours CPU µs | peer CPU µs | generator |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(result) for result in results]
    return "\n".join([*lines, "", f"![{title}]({picture})", ""])


def _fact(value: Any) -> str:
    return ", ".join(f"{name} {item}" for name, item in value.items()) if isinstance(value, dict) else str(value)


def _row(result: Result) -> str:
    case, ratio = result.case, result.ratio
    peer = f"{case.peer.server}, {case.peer.workload}" if case.peer else "alone"
    cells = [
        f"{case.name} ({peer})",
        _spread(result.ours, "per_second"),
        _spread(result.peer, "per_second"),
        "" if ratio is None else f"**{ratio:.2f}**" + _verdict(ratio, case.must),
        "" if case.must is None else str(case.must),
        "" if case.aim is None else str(case.aim),
        _figure(result.ours, "cpu"),
        _figure(result.peer, "cpu"),
        f"{median(result.ours, 'generator'):.2f}" if result.ours else "",
    ]
    return "| " + " | ".join(cells) + " |"


def _verdict(ratio: float, must: float | None) -> str:
    if must is None:
        return ""
    return " reached" if ratio >= must else " missed"


def _spread(samples: Sequence[Sample], name: str) -> str:
    if not samples:
        return ""
    values = [getattr(sample, name) for sample in samples]
    return f"{median(samples, name):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _figure(samples: Sequence[Sample], name: str) -> str:
    return f"{median(samples, name):,.0f}" if samples else ""


def _svg(title: str, results: Sequence[Result]) -> str:
    """Two bars per case: transactions per second of ours and of the peer, with the lowest and highest run."""
    top = max((sample.per_second for result in results for sample in (*result.ours, *result.peer)), default=1.0)
    height = 60 + _ROW * len(results)
    scale = (_WIDTH - _LEFT - 90) / top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="24" font-size="15">{_escaped(title)}: transactions per second</text>',
    ]
    for row, result in enumerate(results):
        y = 44 + _ROW * row
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 22}" text-anchor="end">{_escaped(result.case.name)}</text>')
        for offset, samples, colour in ((4, result.ours, _OURS), (20, result.peer, _PEER)):
            if samples:
                parts += _bar(y + offset, samples, scale, colour)
    parts.append("</svg>\n")
    return "\n".join(parts)


def _bar(y: int, samples: Sequence[Sample], scale: float, colour: str) -> list[str]:
    values = [sample.per_second for sample in samples]
    middle = median(samples, "per_second")
    low, high = _LEFT + min(values) * scale, _LEFT + max(values) * scale
    return [
        f'<rect x="{_LEFT}" y="{y}" width="{middle * scale:.1f}" height="13" fill="{colour}"/>',
        f'<line x1="{low:.1f}" y1="{y + 6}" x2="{high:.1f}" y2="{y + 6}" stroke="#222222" stroke-width="2"/>',
        f'<text x="{high + 6:.1f}" y="{y + 11}">{middle:,.0f}</text>',
    ]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
