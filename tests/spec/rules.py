"""rules.yaml: the rules of the specification in our own words, and what of it is not ours."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.spec.sentences import Sentence

RULES = Path(__file__).with_name("rules.yaml")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the package has it: twelve times as fast


@dataclass(frozen=True)
class Rule:
    """One rule. file: the page below specs/protocol; pull: the pull request that brings it, where it is newer."""

    id: str
    file: str
    section: str
    level: str
    rule: str
    sentences: tuple[str, ...] = ()
    pull: int | None = None
    note: str = ""
    missing: str = ""


@dataclass(frozen=True)
class NotApplicable:
    """Sentences that are not rules for this node, by page, with the reason."""

    reason: str
    sentences: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rules:
    """All of rules.yaml. files_left_out: pages or folders of which nothing is ours, and why."""

    revision: str
    read: str
    rules: tuple[Rule, ...]
    files_left_out: dict[str, str]
    not_applicable: tuple[NotApplicable, ...]

    @property
    def known(self) -> list[tuple[str, str]]:
        """Page and digest of each sentence that has an entry, as often as it has one."""
        found = [(rule.file, item) for rule in self.rules for item in rule.sentences]
        for group in self.not_applicable:
            found += [(file, item) for file, items in group.sentences.items() for item in items]
        return found

    def is_left_out(self, file: str) -> bool:
        """The page, or a folder it is in, is left out."""
        return any(file == name or file.startswith(name + "/") for name in self.files_left_out)

    def unknown(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences without an entry: new rules, and rules whose words changed."""
        known = set(self.known)
        return [item for item in sentences if not self.is_left_out(item.file) and (item.file, item.digest) not in known]

    def gone(self, sentences: Sequence[Sentence]) -> list[tuple[str, str]]:
        """Page and digest of the entries whose sentence is not there any more."""
        there = {(item.file, item.digest) for item in sentences}
        return [item for item in self.known if item not in there]


@functools.cache
def load_rules() -> Rules:
    """Reads rules.yaml."""
    source = yaml.load(RULES.read_text(), LOADER)
    rules = [
        Rule(**{**item, "sentences": tuple(item.get("sentences", ()))} | {"pull": source["pulls"].get(item["id"])})
        for item in source["rules"]
    ]
    groups = [
        NotApplicable(item["reason"], {file: tuple(digests) for file, digests in item["sentences"].items()})
        for item in source["not_applicable"]
    ]
    return Rules(str(source["revision"]), str(source["read"]), tuple(rules), source["files_left_out"], tuple(groups))
