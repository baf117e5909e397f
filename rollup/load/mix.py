"""A load of several kinds at once on a node that runs already: what it needs is prepared, and its calls take turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollup.load.job import Job
from rollup.load.scene import TIP, Scene
from rollup.load.workloads import WORKLOADS, Shape
from rollup.protocol.call import Call

_MAX_CALLS = 10_000  # of the list that is repeated


@dataclass(frozen=True, slots=True)
class Plan:
    """A user's choices for a load.

    mix: how often each workload comes, by name. models: how many models the inferences are spread over. rate:
    transactions per second, 0 for a flood. seconds: when sending ends, 0 for when the count is sent.
    """

    mix: Mapping[str, int]
    shape: Shape
    models: int
    count: int
    rate: float
    seconds: float
    connections: int
    batch: int


def prepared(scene: Scene, keys: Sequence[bytes], plan: Plan) -> Job:
    """Puts on the chain what the load needs, gives the payers funds, and returns the job; raises LoadError."""
    scene.fund(keys, 10**17)  # for what a payer sends while its workload is prepared
    calls = interleaved({name: _calls(scene, keys, name, plan) for name in plan.mix}, plan.mix, len(keys))
    max_fee = scene.max_fee()
    dearest = max(call.gas * max_fee + call.value for call in calls)
    scene.fund(keys, 10**17 + dearest * -(-plan.count // len(keys)))
    return Job(
        scene.url,
        scene.chain_id,
        tuple(keys),
        scene.nonces(keys),
        tuple(calls),
        plan.count,
        connections=plan.connections,
        batch=plan.batch,
        rate=plan.rate,
        seconds=plan.seconds,
        max_fee=max_fee,
        tip=TIP,
    )


def _calls(scene: Scene, keys: Sequence[bytes], name: str, plan: Plan) -> list[Call]:
    """The calls of one workload; those of several models take turns."""
    models = plan.models if name.startswith("infer") else 1
    made = [WORKLOADS[name].prepare(scene, keys, plan.shape) for _ in range(models)]
    length = max(len(calls) for calls in made)
    if name == "infer-batch":  # a call is of the sender whose place it has
        return [made[index // length % models][index % length] for index in range(length * models)]
    return [calls[index % len(calls)] for index in range(length) for calls in made]


def interleaved(calls: Mapping[str, Sequence[Call]], mix: Mapping[str, int], senders: int) -> list[Call]:
    """Calls in proportion to the mix. A workload's turns are runs of one call per sender, so that each does its own."""
    if len(calls) == 1:
        return list(next(iter(calls.values())))
    taken = dict.fromkeys(calls, 0)
    made: list[Call] = []
    rounds = max(1, _MAX_CALLS // (senders * sum(mix.values())))
    for _ in range(rounds):
        for name, times in mix.items():
            for _ in range(times * senders):
                made.append(calls[name][taken[name] % len(calls[name])])
                taken[name] += 1
    return made
