"""All pages: the files they name are there, their links lead somewhere, and none is long."""

import functools
import re
import tomllib

import click
import pytest

from rollup.cli import main
from tests.docs.pages import ROOT, named, page, section

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
FILE = re.compile(r"[\w./*-]+\.(?:py|sol|json|yaml|toml|lock|md)|(?:rollup|derivation|sequencer|tests|docs)/[\w./*-]+")
MADE = re.compile(
    r"(?:genesis|rollup|patches|l1-genesis|l1-chain-config|l1|openrollup)\.json|.*\.yaml|attestation.*\.json"
)
# Where a page's file names begin, where not at the root.
ROOTS = {
    "attribution.md": ["contracts/attribution"],
    "attribution-calls.md": ["contracts/attribution"],
    "contracts.md": ["contracts"],
    "derivation.md": ["derivation", "tests/vectors"],
    "execution.md": ["rollup/execution", "rollup/execution/vms", "tests/vectors"],
    "l1.md": ["rollup/l1", "rollup/rpc", "rollup/protocol", "tests/l1"],
    "performance.md": [
        "tests/execution",
        "rollup/execution",
        "rollup/execution/vms",
        "rollup/execution/state",
        "benchmarks",
    ],
    "sequencer.md": ["sequencer", "sequencer/batcher", "rollup/pool"],
    "state.md": ["rollup/store"],
    "tracing.md": ["rollup/execution"],
}


def prose(path):
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_files_it_names_are_there(path):
    roots = [ROOT, path.parent, *(ROOT / root for root in ROOTS.get(path.name, []))]
    for name in re.findall(r"`([^`\s]+)`", prose(path)):
        if FILE.fullmatch(name) and not MADE.fullmatch(name):
            assert any(list(root.glob(name.rstrip("/"))) for root in roots), f"{path.name}: {name}"


PACKAGES = ("derivation", "sequencer", "rollup/pool", "rollup/execution", "rollup/l1", "rollup/store")
MODULES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if path.name != "__init__.py"
]


@functools.cache
def all_pages():
    return "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_of_the_lower_floors_is_on_a_page(path):
    pages = all_pages()
    assert re.search(rf"(?<!\w){re.escape(path.name)}", pages) or f"{path.parent.name}.{path.stem}" in pages


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_its_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        assert target.startswith("https://") or (path.parent / target).exists(), f"{path.name}: {target}"


def test_a_section_that_the_program_names_is_on_its_page():
    """A command may print a section's name, such as "docs/attribution.md, An inference, step by step"."""
    texts = [
        path.read_text()
        for root in ("rollup", "openrollup", "examples")
        for path in (ROOT / root).rglob("*.*")
        if path.suffix in (".py", ".yaml")
    ]
    found = {item for text in texts for item in re.findall(r"docs/([\w-]+\.md), ([A-Z][\w, ]*\w)", text)}
    assert len(found) >= 2
    for name, title in found:
        assert re.search(rf"^#+ {re.escape(title)}$", (ROOT / "docs" / name).read_text(), re.MULTILINE), (
            f"{name}: {title}"
        )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_short(path):
    # The changelog only grows; spec-coverage.md, one per rule, is made by a program.
    limit = {"spec-coverage.md": 800, "CHANGELOG.md": 600}.get(path.name, 180)
    assert len(path.read_text().splitlines()) < limit


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_the_readme_links_to_it(path):
    assert f"docs/{path.name}" in (ROOT / "README.md").read_text()


def test_the_readme_has_every_command():
    """Groups by their name, or by a command of theirs."""
    said = {words.split()[0] for row in section(page("README.md"), "Commands").rows for words in commands_in(row[0])}
    assert said == set(main.list_commands(click.Context(main)))


def commands_in(cell):
    return [words.removeprefix("openrollup ") for words in named(cell)]


def test_the_floors_are_those_that_are_checked():
    """docs/architecture.md and the import contract: the same packages, the same order."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [{name.strip() for name in re.split(r"[:|]", layer)} for layer in settings["contracts"][0]["layers"]]
    said = [set(named(row[1])) for row in section(page("architecture.md"), "Floors").rows]
    assert said == layers


def test_where_to_add_something_names_files_that_have_what_it_says():
    """docs/architecture.md: in each row, every name stands in one of the row's files."""
    rows = section(page("architecture.md"), "Where would I add").rows
    assert rows
    for what, where in rows:
        names = [name for name in named(where) if "/" not in name and name != "namespace_name"]
        files = [ROOT / name for name in named(where) if "/" in name]
        texts = [file.read_text() for file in files if file.is_file()]
        assert files, what
        assert all(file.exists() for file in files), what
        for name in names:
            assert any(re.search(rf"\b{name.split('.')[-1]}\b", text) for text in texts), f"{what}: {name}"
