"""Code, tests, pages and contracts use plain English: phrases of an older style are found and have a plainer form."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {
    ".py": (
        "openrollup",
        "rollup",
        "sequencer",
        "derivation",
        "attribution_precompile",
        "benchmarks",
        "tests",
        "tools",
        "examples",
    ),
    ".js": ("rollup/web/static/app",),
    ".sol": ("contracts",),
    ".md": ("docs",),
}
FILES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(
        path
        for suffix, folders in FOLDERS.items()
        for folder in folders
        for path in sorted((ROOT / folder).rglob(f"*{suffix}"))
        if path != Path(__file__) and "node_modules" not in path.parts
    ),
]
# Each phrase with a plainer form. None of them has a meaning in which it is good English here.
PHRASES = {
    r"\bfor ever\b": "always, without end",
    r"\bfor good\b": "never undone",
    r"\b[Gg]o(es|ing)? on\b(?! (L1|L2)\b)": "continue, keep running",
    r"(?<![Tt]here )\b(is|are|was|were) none\b": "is not a …",
    r"(?<![Tt]here )\b(is|are) no (?!longer\b|more\b|such\b|other\b|one\b|gap\b)[a-z`]": "is not a …",
    r"\b(has|have|had) not (a|an|any|\d+)\b": "has no …, lacks",
    r"\bdeeds?\b": "action, step",
    r"\b(is|are|was|were|be) said\b": "name who or what says it",
    r"\b(is|are|was|were|be) told\b": "is notified, sees",
    r"\b[Ww]hoever\b": "anyone who, any sender",
    r"(?<![-\w])[Bb]eside\b(?!-)": "next to, in addition to, compared with",
    r"\bso many (bytes|blocks|seconds|words|writes)\b": "this many …",
    r"\bno measure\b": "does not predict",
    r"\b(µs|ms|microseconds|wei|bytes|gas) an? (call|block|transaction(?! uses)|inference|unit|task|second)\b": "per",
    r'"""(The same|What|So|Of|As|Those|It|They)\b': "a noun or a verb: a docstring is complete on its own",
}
PATTERN = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES))


def found(text: str) -> list[str]:
    """The phrases of the older style in a text, with their lines. PHRASES has plainer forms."""
    return [
        f"line {number}: {match[0]!r}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in PATTERN.finditer(line)
    ]


def test_no_text_has_a_phrase_of_the_older_style() -> None:
    assert len(FILES) > 1_000
    faults = [f"{path.relative_to(ROOT)}, {line}" for path in FILES for line in found(path.read_text())]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The chain goes on for ever.", 2),
        ("A file that is no dump.", 1),
        ("There is no dump. It is no longer kept.", 0),
        ("raises NotFound if there is none", 0),
        ("raises KzgError when it is none", 1),
        ("What a browser is told beside each page", 2),
        ("12 µs a call", 1),
        ("12 µs per call", 0),
        ("whoever asks", 1),
        ("where batch data goes on L1", 0),
        ("upgrade.gas-beside-limit", 0),
        ('    """The same with one more name."""', 1),
        ('    """What a node looks like at one moment."""', 1),
        ('    """It has ended."""', 1),
        ('    """A view of a node at one moment. What it holds is copied."""', 0),
    ],
)
def test_the_older_style_is_found_and_the_plain_one_passes(text: str, count: int) -> None:
    assert len(found(text)) == count
