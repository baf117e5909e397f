"""Changes of the state at the beginning of a block that no transaction makes.

Builder and validator make the same ones, since both ask the chain's config. CHAIN_CHANGES are rules of every OP chain;
a config may have more, such as the patches of a development chain (rollup/patches.py).
"""

from collections.abc import Mapping
from typing import Protocol

from rollup.execution.attribution_activation import begin_attribution
from rollup.execution.block_context import BlockContext
from rollup.execution.config import L2Config
from rollup.execution.genesis import preinstalls
from rollup.execution.impersonated_signatures import ACCOUNT as SIGNATURES
from rollup.execution.overrides import StateOverride, override_accounts
from rollup.execution.state.accounts import AccountDatabase
from rollup.execution.system_calls import set_code
from rollup.protocol import predeploys
from rollup.protocol.forks import Fork
from rollup.protocol.primitives import Address


class IrregularChange(Protocol):
    """A change of the state that some blocks begin with. It decides by the block's context alone.

    revision: it differs after the change itself was changed. What was found before does not hold any more then.
    impersonates_signatures: some block's change chooses the signers of signatures (impersonated_signatures.py).
    """

    revision: int

    @property
    def impersonates_signatures(self) -> bool: ...

    def is_due(self, context: BlockContext) -> bool:
        """Whether this block begins with the change."""

    def apply(self, accounts: AccountDatabase, context: BlockContext) -> None:
        """Makes the change, before the block's first transaction."""


class Create2Deployer:
    """Canyon's first block puts the create2Deployer's code in place (canyon/overview.md, "Create2Deployer")."""

    revision = 0
    impersonates_signatures = False

    def is_due(self, context: BlockContext) -> bool:
        """Whether this is Canyon's first block."""
        config = context.config
        times = context.timestamp, context.parent.timestamp
        return isinstance(config, L2Config) and config.forks.activates(Fork.CANYON, *times)

    def apply(self, accounts: AccountDatabase, context: BlockContext) -> None:
        """Sets the code; balance and nonce stay."""
        # spec: canyon.create2-deployer
        set_code(accounts, predeploys.CREATE2_DEPLOYER, preinstalls()[predeploys.CREATE2_DEPLOYER].code)


class AttributionActivation:
    """Attribution that begins after genesis (docs/attribution-calls.md, "For the node")."""

    revision = 0
    impersonates_signatures = False

    def is_due(self, context: BlockContext) -> bool:
        """Whether this is the first block at or after the activation time of attribution in the config."""
        config = context.config
        attribution = config.attribution if isinstance(config, L2Config) else None
        return attribution is not None and context.parent.timestamp < attribution.time <= context.timestamp

    def apply(self, accounts: AccountDatabase, context: BlockContext) -> None:
        """Puts the account in place."""
        begin_attribution(accounts)


class StatePatches:
    """A developer's changes of the state, by the height of the block that begins with them."""

    def __init__(self, by_height: Mapping[int, Mapping[Address, StateOverride]] | None = None) -> None:
        self._by_height = {height: dict(overrides) for height, overrides in (by_height or {}).items()}
        self.revision = 0

    @property
    def impersonates_signatures(self) -> bool:
        """Whether a patch chooses the signer of a signature."""
        return any(SIGNATURES in table for table in self._by_height.values())

    @property
    def by_height(self) -> Mapping[int, Mapping[Address, StateOverride]]:
        """Every patch."""
        return self._by_height

    def add(self, height: int, address: Address, override: StateOverride) -> None:
        """Adds a patch to a block that is not built yet. A patch for the same account and height is merged into the
        earlier one.
        """
        patches = self._by_height.setdefault(height, {})
        patches[address] = _merged(patches.get(address), override)
        self.revision += 1

    def replace(self, by_height: Mapping[int, Mapping[Address, StateOverride]]) -> None:
        """Takes other patches in the place of all there are."""
        self._by_height = {height: dict(overrides) for height, overrides in by_height.items()}
        self.revision += 1

    def is_due(self, context: BlockContext) -> bool:
        """Whether there is a patch for a block of this height."""
        return context.number in self._by_height

    def apply(self, accounts: AccountDatabase, context: BlockContext) -> None:
        """Makes the changes of this height."""
        accounts.lock_changes()
        override_accounts(accounts, self._by_height[context.number])
        accounts.lock_changes()


CHAIN_CHANGES: tuple[IrregularChange, ...] = (Create2Deployer(), AttributionActivation())


def begin_irregularly(accounts: AccountDatabase, context: BlockContext) -> None:
    """Makes every change that a block begins with."""
    for change in (*CHAIN_CHANGES, *context.config.irregular):
        if change.is_due(context):
            change.apply(accounts, context)


def _merged(old: StateOverride | None, new: StateOverride) -> StateOverride:
    """Both changes, one after the other."""
    if old is None:
        return new
    merged = StateOverride(
        balance=old.balance if new.balance is None else new.balance,
        nonce=old.nonce if new.nonce is None else new.nonce,
        code=old.code if new.code is None else new.code,
        storage=old.storage,
        storage_diff=old.storage_diff,
    )
    if new.storage is not None:
        merged.storage, merged.storage_diff = dict(new.storage), {}
    elif old.storage is not None:
        merged.storage = {**old.storage, **new.storage_diff}
    else:
        merged.storage_diff = {**old.storage_diff, **new.storage_diff}
    return merged
