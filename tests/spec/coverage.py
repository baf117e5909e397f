"""The page docs/spec-coverage.md, and the search for new rules.

python -m tests.spec.coverage                 compares the page with the code
python -m tests.spec.coverage --write         writes the page
python -m tests.spec.coverage --specs PATH    lists the sentences of the specification that have no entry
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.spec.markers import PRODUCT, TESTS, Marker, find_markers
from tests.spec.rules import Rule, Rules, load_rules
from tests.spec.sentences import SpecsError, read_specs

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "spec-coverage.md"
SPECS = "https://github.com/ethereum-optimism/specs"
# Newest first; pages of no fork come after those of the forks.
_FORKS = ("karst", "jovian", "isthmus", "holocene", "granite", "fjord", "ecotone", "delta", "canyon", "regolith")
_INTRO = """# Coverage of the OP specifications

Which rules of the [OP specifications]({specs}) this node holds: the function that implements each rule, and the tests
that hold it. This page is made from comments in the code; do not edit it by hand.

- Read: [revision `{short}`]({specs}/tree/{revision}/specs/protocol) of {read}, and the newer pull requests that
  the first table names.
- {rules} rules: {held} are implemented and tested, {missing} missing.
- {other} more sentences of these pages state no rule for this node. The last table says why.
- Tests in `tests/vectors` need the variable `VECTORS` ([CONTRIBUTING.md](../CONTRIBUTING.md)), those in
  `tests/external` the programs they compare with.

A rule stands in `tests/spec/rules.yaml`, in our own words. A comment `spec: ID` stands in the code that implements it
and in each test that holds it. `tests/spec` compares this page with both.

After a change of code or rules, write the page again: `python -m tests.spec.coverage --write`. To find new rules, clone
the specifications and run `python -m tests.spec.coverage --specs PATH`. It lists each sentence with *must*, *drop*,
*invalid* and the like that has no entry yet, and each entry whose sentence is gone. Give a new rule an entry and two
comments, or a reason why it is not ours. Then set `revision` to the commit that you read.
"""


def make_page(rules: Rules, product: Sequence[Marker], tests: Sequence[Marker]) -> str:
    """The text of docs/spec-coverage.md."""
    code, held = _by_rule(product), _by_rule(tests)
    missing = [rule for rule in rules.rules if rule.missing]
    parts = [
        _INTRO.format(
            specs=SPECS,
            revision=rules.revision,
            short=rules.revision[:8],
            read=rules.read,
            rules=len(rules.rules),
            held=len(rules.rules) - len(missing),
            missing=len(missing),
            other=sum(len(items) for group in rules.not_applicable for items in group.sentences.values()),
        )
    ]
    newer = [rule for rule in rules.rules if rule.pull]
    parts.append("## Newer than the revision\n" + _table(newer, code, held))
    pages = sorted({rule.file for rule in rules.rules}, key=_age)
    for page in pages:
        of_page = [rule for rule in rules.rules if rule.file == page and not rule.pull]
        if of_page:
            parts.append(f"## {page}\n" + _table(of_page, code, held))
    parts.append("## Pages left out\n| page | why |\n|---|---|")
    parts[-1] += "".join(f"\n| {name} | {reason} |" for name, reason in rules.files_left_out.items())
    parts.append("## Sentences that state no rule of ours\n| sentences | why |\n|---|---|")
    for group in rules.not_applicable:
        count = sum(len(items) for items in group.sentences.values())
        parts[-1] += f"\n| {count} in {', '.join(group.sentences)} | {group.reason} |"
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _age(page: str) -> tuple[int, str]:
    fork = page.split("/")[0]
    return (_FORKS.index(fork) if fork in _FORKS else len(_FORKS), page)


def _by_rule(markers: Sequence[Marker]) -> dict[str, list[str]]:
    """Rule to places, each once."""
    found: dict[str, list[str]] = defaultdict(list)
    for marker in markers:
        place = f"`{marker.path}` `{marker.function}`"
        if place not in found[marker.rule]:
            found[marker.rule].append(place)
    return found


def _table(rules: Sequence[Rule], code: dict[str, list[str]], held: dict[str, list[str]]) -> str:
    lines = ["| rule | section | implemented by | held by |", "|---|---|---|---|"]
    for rule in rules:
        section = f"[pull request #{rule.pull}]({SPECS}/pull/{rule.pull})" if rule.pull else rule.section
        words = f"`{rule.id}` ({rule.level}): {rule.rule}{' ' + rule.note if rule.note else ''}"
        if rule.missing:
            lines.append(f"| {words} | {section} | **missing**: {rule.missing} | |")
        else:
            lines.append(f"| {words} | {section} | {'<br>'.join(code[rule.id])} | {'<br>'.join(held[rule.id])} |")
    return "\n".join(lines)


def current_page() -> str:
    """The page as rules.yaml and the markers have it now."""
    return make_page(load_rules(), find_markers(ROOT, PRODUCT), find_markers(ROOT, TESTS))


def report(rules: Rules, specs: Path) -> tuple[list[str], bool]:
    """Lines about a checkout or bare clone of the specifications, and whether all of it is known."""
    revision, sentences = read_specs(specs)
    unknown, gone = rules.unknown(sentences), rules.gone(sentences)
    lines = [f"specs {revision[:12]}, read before: {rules.revision[:12]}"]
    lines += [f"new   {item.digest}  {item.file}, {item.section}: {item.text}" for item in unknown]
    lines += [f"gone  {digest}  {file}" for file, digest in gone]
    lines.append(f"{len(sentences)} sentences, {len(unknown)} without an entry, {len(gone)} entries without a sentence")
    return lines, not unknown and not gone


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 when something has to be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.spec.coverage", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write docs/spec-coverage.md")
    parser.add_argument("--specs", type=Path, metavar="PATH", help="a checkout or bare clone of the specifications")
    options = parser.parse_args(arguments)
    if options.specs is not None:
        try:
            lines, is_known = report(load_rules(), options.specs)
        except SpecsError as error:
            print(error, file=sys.stderr)
            return 2
        print("\n".join(lines))
        return 0 if is_known else 1
    page = current_page()
    if options.write:
        PAGE.write_text(page)
        return 0
    if page != PAGE.read_text():
        print("docs/spec-coverage.md is not what the code says: run python -m tests.spec.coverage --write")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
