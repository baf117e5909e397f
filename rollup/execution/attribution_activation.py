"""Attribution that begins after genesis: in the first block whose time has reached it, before any transaction.

The rule reads only the parent's time and the state, so that builder, validator and verifier do the same.
"""

from typing import Final

from attribution_precompile.layout import genesis_storage
from rollup.execution.attribution_host import activate
from rollup.execution.state.accounts import AccountDatabase
from rollup.protocol import predeploys

# The platform's share of a fee until its admin sets another, basis points.
DEFAULT_PLATFORM_BPS: Final = 500
# OpenZeppelin's Ownable, ProxyAdmin's only base.
_OWNER_SLOT: Final = 0


def begin_attribution(accounts: AccountDatabase) -> None:
    """Puts the account in place, outside any transaction. irregular.AttributionActivation says in which block.

    Its platform parameters come from the state (docs/attribution.md): admin and treasury are the owner of ProxyAdmin,
    who may change every other predeploy too. A chain without such an owner begins without a platform: the share is 0,
    and nobody can set one.
    """
    owner = accounts.get_storage(predeploys.PROXY_ADMIN, _OWNER_SLOT) & (1 << 160) - 1
    storage = genesis_storage(owner, owner, DEFAULT_PLATFORM_BPS) if owner else {}
    accounts.lock_changes()
    activate(accounts, storage)
    accounts.lock_changes()
