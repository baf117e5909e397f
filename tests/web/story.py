"""The chain behind the page tests: it has the example's texts, a model, inferences and a claim."""

from pathlib import Path

from coincurve import PrivateKey
from eth_account import Account
from web3 import Web3

from attribution_precompile.attestation import Attestation, sign_attestation
from attribution_precompile.client import AttributionClient, Price
from rollup.cli.demo_texts import load_data_set
from rollup.protocol.accounts import USERS
from rollup.protocol.primitives import keccak256

OPEN = 10**18
ACCOUNTS = [Account.from_key(user.private_key) for user in USERS]


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def play_texts(chain) -> tuple[AttributionClient, int]:
    """The example's texts as DataNet 1, and a model that learned from them: its client and its id."""
    client = AttributionClient(Web3(Web3.HTTPProvider(chain.url)))
    texts = load_data_set(EXAMPLES / "medical").texts
    owner = ACCOUNTS[0]
    datanet = client.create_datanet(owner, keccak256(b"Medical notes"))
    for text in texts:
        chain.rpc("open_putContent", text.content)
    rows = [(text.address, text.units, keccak256(text.content.encode())) for text in texts]
    client.contribute(owner, datanet, rows)
    price = Price(OPEN // 100, OPEN // 1000, OPEN * 4 // 1000)
    model = client.register_model(owner, [(datanet, 1)], price=price, metadata=keccak256(b"Ward assistant"))
    return client, model


def play(chain) -> None:
    """Plays it. Model 1 learned from DataNet 1; inference 1 has the default weights, 2 follows its text."""
    owner, payer = ACCOUNTS[0], ACCOUNTS[2]
    client, model = play_texts(chain)
    client.infer(payer, model, input_tokens=12, output_tokens=340)
    question = "What helps on a night shift?"
    answer = (EXAMPLES / "answers" / "night-shift.txt").read_text()
    for text in (question, answer, "Medical notes", "Ward assistant"):
        chain.rpc("open_putContent", text)
    traced(chain, client, model, payer, owner, question, answer)
    client.infer(owner, model, input_tokens=5, output_tokens=90)  # the owner pays itself
    chain.until_safe()
    client.infer(payer, model, input_tokens=7, output_tokens=55)


def traced(chain, client, model, payer, attributor, question, answer):
    """An inference that pays those whose texts the answer repeats."""
    found = chain.rpc("open_trace", model, answer, question)
    deadline = int(chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + 3600
    hashes = [bytes.fromhex(found[name][2:]) for name in ("requestHash", "responseHash", "evidence")]
    counts = int(found["inputTokens"], 16), int(found["outputTokens"], 16)
    attestation = Attestation(model, payer.address, client.nonce(payer.address), deadline, *counts, *hashes)
    influence = [int(word, 16) for word in found["influence"]]
    signature = sign_attestation(PrivateKey(bytes(attributor.key)), attestation, influence, client.web3.eth.chain_id)
    return client.infer_attested(payer, attestation, influence, signature)
