"""Rules by which data is dropped: each names a section of the specifications, and each is met by an input."""

import pytest

from derivation.drops import Rule
from tests.spec.rules import load_rules


def test_codes_are_unique():
    assert len({rule.code for rule in Rule}) == len(Rule)


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.code)
def test_a_rule_stands_in_a_section_that_the_coverage_of_the_specifications_knows(rule):
    sections = {(entry.file, entry.section) for entry in load_rules().rules}
    assert (rule.page, rule.heading) in sections
