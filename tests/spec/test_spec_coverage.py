"""The rules of the specification, the code that names them and docs/spec-coverage.md agree; new rules are found."""

import subprocess
from collections import Counter
from dataclasses import replace

import pytest

from tests.spec import coverage
from tests.spec.markers import PRODUCT, TESTS, MarkerError, find_markers, python_markers, solidity_markers
from tests.spec.rules import load_rules
from tests.spec.sentences import SpecsError, digest, read_specs, sentences

RULES = load_rules()


@pytest.fixture(scope="module")
def in_code():
    return find_markers(coverage.ROOT, PRODUCT)


@pytest.fixture(scope="module")
def in_tests():
    return find_markers(coverage.ROOT, TESTS)


def repeated(items):
    return [item for item, count in Counter(items).items() if count > 1]


def test_every_rule_has_one_id_and_every_sentence_one_entry():
    assert repeated(rule.id for rule in RULES.rules) == []
    assert repeated(RULES.known) == []


def test_every_marker_names_a_rule(in_code, in_tests):
    ids = {rule.id for rule in RULES.rules}
    assert [marker for marker in (*in_code, *in_tests) if marker.rule not in ids] == []


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_a_rule_is_named_in_code_and_in_a_test_or_said_to_be_missing(rule, in_code, in_tests):
    code = [marker for marker in in_code if marker.rule == rule.id]
    held = [marker for marker in in_tests if marker.rule == rule.id]
    assert bool(code) is bool(held) is not bool(rule.missing)
    assert rule.sentences or rule.pull or rule.section
    # A marker of a test stands in a test, not in what a test uses.
    assert all(marker.function.split(".")[-1].startswith("test_") for marker in held)


def test_the_page_is_what_rules_and_markers_say():
    hint = "run python -m tests.spec.coverage --write"
    assert coverage.PAGE.read_text() == coverage.current_page(), hint


PAGE = """# Derivation

## Batches

Batches are read in order. A batch
MUST be good, see [there](elsewhere.md#good).

- If it is late -> `drop`: it is too late.

```text
code must not count
```

[link]: https://must.example
"""


def specs_repository(path, pages):
    """A small clone of specifications with these pages below specs/protocol; returns its commit."""

    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    folder = path / "specs" / "protocol"
    folder.mkdir(parents=True, exist_ok=True)
    if not (path / ".git").exists():
        git("init", "-q")
    for name, text in pages.items():
        (folder / name).write_text(text)
    git("add", "-A")
    git("commit", "-q", "-m", "pages")
    return git("rev-parse", "HEAD")


def knowing(found):
    """Rules with one entry for each of these sentences."""
    entries = [
        replace(RULES.rules[0], id=f"rule.{index}", file=item.file, sentences=(item.digest,))
        for index, item in enumerate(found)
    ]
    return replace(RULES, rules=tuple(entries), not_applicable=(), files_left_out={"left-out": "not ours"})


def test_the_sentences_that_state_a_rule_are_found_with_their_sections():
    found = [(item.section, item.text) for item in sentences("derivation.md", PAGE)]
    assert found == [
        ("Batches", "A batch MUST be good, see [there](elsewhere.md#good)."),
        ("Batches", "- If it is late -> `drop`: it is too late."),
    ]


def test_a_digest_outlives_markup_and_changes_with_a_word():
    text = "- A **batch** must be [good](a.md), `really`."
    assert digest(text) == digest("* a batch MUST  be\n[good][b], really.")
    assert digest(text) != digest("- A **batch** must be [bad](a.md), `really`.")


def test_a_new_rule_and_a_changed_one_are_reported(tmp_path):
    commit = specs_repository(tmp_path, {"derivation.md": PAGE})
    revision, found = read_specs(tmp_path)
    rules = replace(knowing(found), revision=commit)
    assert revision == commit
    assert coverage.report(rules, tmp_path) == (
        [
            f"specs {commit[:12]}, read before: {commit[:12]}",
            "2 sentences, 0 without an entry, 0 entries without a sentence",
        ],
        True,
    )

    changed = PAGE.replace("MUST be good", "MUST be excellent") + "\n## Frames\n\nA frame MUST have a colour.\n"
    specs_repository(tmp_path, {"derivation.md": changed})
    (tmp_path / "specs" / "protocol" / "derivation.md").unlink()  # the commit counts, not what lies in the folder
    lines, is_known = coverage.report(rules, tmp_path)
    assert not is_known
    new = [line.split("  ", 2)[2] for line in lines if line.startswith("new ")]
    assert new == [
        "derivation.md, Batches: A batch MUST be excellent, see [there](elsewhere.md#good).",
        "derivation.md, Frames: A frame MUST have a colour.",
    ]
    gone = [line for line in lines if line.startswith("gone ")]
    assert gone == [f"gone  {found[0].digest}  derivation.md"]


def test_a_new_page_is_reported_and_one_that_is_left_out_is_not(tmp_path):
    specs_repository(tmp_path, {"new.md": "# A\n\nIt must be.\n", "left-out.txt": "It must be.\n"})
    (tmp_path / "specs" / "protocol" / "left-out").mkdir()
    specs_repository(tmp_path, {"left-out/page.md": "# B\n\nIt must be as well.\n"})
    unknown = knowing([]).unknown(read_specs(tmp_path)[1])
    assert [item.file for item in unknown] == ["new.md"]


def test_the_command_says_what_to_do(tmp_path, capsys, monkeypatch):
    specs_repository(tmp_path, {"new.md": "# A\n\nIt must be.\n"})
    assert coverage.main(["--specs", str(tmp_path)]) == 1
    assert "new.md, A: It must be." in capsys.readouterr().out
    assert coverage.main(["--specs", str(tmp_path / "nothing")]) == 2
    page = tmp_path / "page.md"
    page.write_text("old")
    monkeypatch.setattr(coverage, "PAGE", page)
    assert coverage.main([]) == 1
    assert coverage.main(["--write"]) == 0
    assert coverage.main([]) == 0


def test_a_folder_that_is_not_a_repository_is_an_error(tmp_path):
    with pytest.raises(SpecsError, match="rev-parse"):
        read_specs(tmp_path)


PYTHON = """
LIMIT = 1
# spec: a.limit
OTHER = 2


class Stage:
    def read(self):
        text = "# spec: no.marker"
        return text  # spec: b.end

    def write(self):
        # spec: c.one, c.two
        def inner():
            # spec: d.inner
            return 1

        return inner
"""


def test_markers_belong_to_the_function_they_stand_in():
    assert list(python_markers(PYTHON, "x.py")) == [
        ("a.limit", "OTHER"),
        ("b.end", "Stage.read"),
        ("c.one", "Stage.write"),
        ("c.two", "Stage.write"),
        ("d.inner", "Stage.write"),
    ]
    solidity = "contract A {\n    function f() external {\n        // spec: a.b\n    }\n}\n"
    assert list(solidity_markers(solidity, "A.sol")) == [("a.b", "f")]


def test_a_marker_beside_nothing_is_an_error():
    with pytest.raises(MarkerError, match=r"x\.py:1"):
        list(python_markers("# spec: a.b\n\nimport os\n", "x.py"))
    with pytest.raises(MarkerError, match=r"A\.sol:1"):
        list(solidity_markers("// spec: a.b\n", "A.sol"))
