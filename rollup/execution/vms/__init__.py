"""py-evm's state and computation classes for each set of rules, over our accounts."""

from rollup.execution.vms.rules import EvmRules, l1_rules, l2_rules

__all__ = ["EvmRules", "l1_rules", "l2_rules"]
