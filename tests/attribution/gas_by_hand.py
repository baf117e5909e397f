"""The gas of each call of the scene, worked out by hand: how often each entry of the schedule is due.

Nothing here comes from a run: the words of the calldata, the slots a method has to read and write
(docs/attribution.md), the topics and words of its event. test_gas.py holds the measured gas to the sum.
"""

from dataclasses import dataclass

from attribution_precompile import gas


@dataclass(frozen=True, slots=True)
class Bill:
    """How often each is due. `read` are first touches of a slot, `again` later ones; `new`, `changed` and `rest` are
    stores into touched slots (zero to non-zero, a first change of non-zero, no change or a later one), `fresh` stores
    zero to non-zero into slots not touched before. `hashes` has the words of each keccak256 that does not belong to a
    mapping. `logs` has topics and words of each event. `created` is a payout to an account that is not there yet.
    """

    input: int
    output: int = 0
    mappings: int = 0
    hashes: tuple[int, ...] = ()
    recoveries: int = 0
    read: int = 0
    again: int = 0
    new: int = 0
    changed: int = 0
    rest: int = 0
    fresh: int = 0
    logs: tuple[tuple[int, int], ...] = ()
    created: int = 0

    @property
    def same_in_both(self) -> int:
        """The part of the gas that is equal for cold and warm slots."""
        hashing = self.mappings * gas.MAPPING + sum(gas.KECCAK + gas.KECCAK_WORD * words for words in self.hashes)
        logging = sum(gas.LOG + gas.LOG_TOPIC * topics + gas.LOG_BYTE * 32 * words for topics, words in self.logs)
        storing = gas.SSTORE_SET * (self.new + self.fresh) + gas.SSTORE_RESET * self.changed
        storing += gas.SLOAD_WARM * self.rest
        paying = self.created * (gas.CALL_VALUE + gas.CALL_NEW_ACCOUNT - gas.CALL_STIPEND)
        words = gas.INPUT_WORD * self.input + gas.OUTPUT_WORD * self.output
        return (
            words + hashing + gas.ECRECOVER * self.recoveries + gas.SLOAD_WARM * self.again + storing + logging + paying
        )

    @property
    def cold(self) -> int:
        """Gas with every slot and the recipient cold."""
        touched = gas.SLOAD_COLD * (self.read + self.fresh) + gas.ACCOUNT_COLD * self.created
        return self.same_in_both + touched

    @property
    def warm(self) -> int:
        """Gas with every slot and the recipient in the transaction's access list."""
        return self.same_in_both + gas.SLOAD_WARM * self.read + gas.ACCOUNT_WARM * self.created

    def worked(self) -> str:
        """The sum in words, everything cold."""
        parts = [(f"{_count(self.input, 'word')} in", gas.INPUT_WORD * self.input)]
        if self.mappings:
            parts.append((_count(self.mappings, "mapping slot"), gas.MAPPING * self.mappings))
        if self.hashes:
            amount = sum(gas.KECCAK + gas.KECCAK_WORD * words for words in self.hashes)
            parts.append((f"keccak256 of {', '.join(map(str, self.hashes))} words", amount))
        stores = self.new + self.fresh
        for what, count, each in (
            ("signature recovery", self.recoveries, gas.ECRECOVER),
            ("cold read", self.read, gas.SLOAD_COLD),
            ("warm read", self.again, gas.SLOAD_WARM),
            ("cold write", self.fresh, gas.SLOAD_COLD),
            ("slot set", stores, gas.SSTORE_SET),
            ("slot changed", self.changed, gas.SSTORE_RESET),
            ("unchanged or later store", self.rest, gas.SLOAD_WARM),
        ):
            if count:
                parts.append((_count(count, what), count * each))
        for topics, words in self.logs:
            amount = gas.LOG + gas.LOG_TOPIC * topics + gas.LOG_BYTE * 32 * words
            parts.append((f"log of {topics} topics and {_count(words, 'word')}", amount))
        if self.created:
            amount = gas.ACCOUNT_COLD + gas.CALL_VALUE + gas.CALL_NEW_ACCOUNT - gas.CALL_STIPEND
            parts.append(("value call that creates, its stipend back", self.created * amount))
        if self.output:
            parts.append((f"{_count(self.output, 'word')} out", gas.OUTPUT_WORD * self.output))
        assert sum(amount for _, amount in parts) == self.cold
        return " + ".join(f"{what} {amount:,}" for what, amount in parts)


def _count(count: int, what: str) -> str:
    """`1 word`, `2 words`; of two words the first takes the plural where it is the noun."""
    if count == 1:
        return f"1 {what}"
    noun, _, rest = what.partition(" ")
    if noun == "slot":
        return f"{count} {noun}s {rest}"
    return f"{count} {what}s"


INFERRED = (4, 9)  # topics; fee, count, tokens in and out, three hashes, offset and length of the influence
INFERRED_WITH_3 = (4, 12)
HISTORY, NO_INFLUENCE, INFLUENCE = 12, 0, 3
DOMAIN, STRUCT, DIGEST = 5, 11, 3

BILLS = {
    # The lock and treasury, the admin; the admin stays who it is.
    "setPlatform": Bill(4, read=2, changed=1, rest=1, logs=((3, 1),)),
    "platform": Bill(1, 3, read=2),
    "version": Bill(1, 1),
    # The lock, the counter; curator and metadata of the new one.
    "createDatanet": Bill(2, 1, mappings=1, read=2, changed=1, fresh=2, logs=((3, 1),)),
    # The lock, curator, pool, membership; content, member and the credit its earnings are settled to.
    "contribute": Bill(7, mappings=6, read=7, new=2, changed=2, logs=((3, 2),)),
    # As contribute, without content.
    "setUnits": Bill(4, mappings=4, read=6, new=1, changed=2, logs=((3, 2),)),
    "transferCurator": Bill(3, mappings=1, read=2, changed=1, logs=((4, 0),)),
    "datanet": Bill(2, 5, mappings=1, read=3),
    "member": Bill(3, 2, mappings=3, read=3),
    # The lock, the counter, the base model's depth; five slots of the new one.
    "registerModel": Bill(17, 1, mappings=2, read=3, changed=1, fresh=5, logs=((4, 1),)),
    "setPrice": Bill(5, mappings=1, read=3, changed=2, logs=((2, 3),)),
    "setAttributor": Bill(3, mappings=1, read=3, changed=1, logs=((3, 0),)),
    "transferModel": Bill(3, mappings=1, read=2, changed=1, logs=((4, 0),)),
    # The lock, owner, last step, commitment: the first of them.
    "recordTraining": Bill(5, mappings=1, hashes=(5,), read=4, new=1, changed=1, logs=((3, 2),)),
    # Seven words and the weights' offset and length, with price and split of three each; two weights of two.
    "model": Bill(2, 16, mappings=1, read=5),
    "usage": Bill(2, 5, mappings=1, read=4),
    "quote": Bill(4, 1, mappings=1, read=2),
    # The lock; owner, price, split; two credits; two pools of two slots; usage, history.
    # Mappings: model, credits, pools.
    "infer": Bill(6, 1, mappings=5, hashes=(HISTORY, NO_INFLUENCE), read=12, changed=6, logs=(INFERRED,)),
    # Down one ancestor with another credit and another pool. Both pay DataNet 2: the ancestor into touched slots.
    "inferCompact": Bill(
        2, 1, mappings=8, hashes=(HISTORY, NO_INFLUENCE), read=15, again=2, changed=7, rest=1, logs=(INFERRED,)
    ),
    # One pool, two members checked (two mappings each) and credited for the first time; nonce, attributor.
    "inferAttested": Bill(
        20,
        1,
        mappings=11,
        hashes=(HISTORY, INFLUENCE, DOMAIN, STRUCT, DIGEST, INFLUENCE),
        recoveries=1,
        read=16,
        new=3,
        changed=5,
        logs=(INFERRED_WITH_3,),
    ),
    "inferBatch": Bill(
        11, 1, mappings=10, hashes=(HISTORY, INFLUENCE), read=15, new=2, changed=5, logs=(INFERRED_WITH_3,)
    ),
    # The lock, the model's owner, the counter; three slots of the new one.
    "request": Bill(4, 1, mappings=2, read=3, changed=1, fresh=3, logs=((4, 3),)),
    # As inferBatch, with the job's three slots and the payer's credit.
    "settle": Bill(
        11, 1, mappings=12, hashes=(HISTORY, INFLUENCE), read=19, new=3, changed=6, logs=(INFERRED_WITH_3, (3, 3))
    ),
    # The lock, two slots of the job, the payer's credit.
    "cancel": Bill(2, mappings=2, read=4, new=1, changed=1, logs=((2, 1),)),
    "job": Bill(2, 6, mappings=1, read=3),
    "nonces": Bill(2, 1, mappings=1, read=1),
    # The lock, stored unchanged; member and pool of one DataNet, no member of the other; the credit.
    "harvest": Bill(6, mappings=6, read=5, new=1, changed=1, rest=1),
    # The lock taken and released; member and pool; a credit of nothing, so nothing to clear.
    "claim": Bill(5, 1, mappings=4, read=4, changed=2, rest=1, logs=((3, 1),), created=1),
    "claimFor": Bill(5, 1, mappings=4, read=4, changed=2, rest=1, logs=((3, 1),), created=1),
    "claimable": Bill(6, 1, mappings=6, read=4),
}
