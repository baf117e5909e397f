"""How much the pool holds, and the least it asks for."""

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class PoolLimits:
    """Bounds of a pool: counts of transactions, sizes in bytes, prices in wei per unit of gas, fees in wei.

    account_pending bounds what one sender may have ready to run, account_queued what of one sender waits behind a nonce
    gap, queued_total what waits of all senders, queued_lifetime for how many seconds after the sender's last one.
    price_bump is the percentage by which a replacement must raise both the tip and the fee cap.
    """

    account_pending: int = 16_384
    account_queued: int = 64  # geth --txpool.accountqueue
    queued_total: int = 1_024  # geth --txpool.globalqueue
    queued_lifetime: int = 3 * 3600  # geth --txpool.lifetime
    total: int = 131_072
    max_transaction_size: int = 4 * 32 * 1024  # geth core/txpool/legacypool: txMaxSize
    price_bump: int = 10
    blob_price_bump: int = 100  # geth core/txpool/blobpool: a replacement must double every fee
    min_tip: int = 1  # geth --txpool.pricelimit
    fee_cap: int = 10**18  # geth --rpc.txfeecap; 0 = none
    allow_unprotected: bool = False
