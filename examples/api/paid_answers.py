"""An API that answers questions and charges for each answer on the chain.

The payer puts the fee into escrow with a job, and sends the job's number with the question. The server answers, and
settles the job: the precompile splits the fee among platform, owner and contributors, and returns what is left.

    openrollup job open 1 --escrow 0.05open --request question.txt --account 2
    python examples/api/paid_answers.py 1 --account 1        # model 1; account 1 is its attributor
    python -c 'import json; print(json.dumps({"job": 1, "question": open("question.txt").read()}))' > asked.json
    curl --data @asked.json http://127.0.0.1:8080

Put your own model into `answer_of`. The question's hash is in the job, so a job pays for its own question alone: the
question must be the file's whole text, with the newline at its end.
"""

import argparse
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from attribution_precompile.client import AttributionClient, AttributionError
from attribution_precompile.influence import tokenize
from rollup.protocol.accounts import USERS

OPEN, PAYMENT_REQUIRED, BAD_REQUEST = 1, 402, 400
MAX_BYTES = 100_000


class Refused(Exception):
    """A refusal: an HTTP status, and a sentence that tells the payer what to change."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def answer_of(question: str) -> str:
    """The model's answer. Put your own model here."""
    return f"You asked {len(tokenize(question))} words. Ask a model for more."


class Seller:
    """Answers the jobs of one model; the account is the model's attributor, and pays the gas of settling."""

    def __init__(self, client: AttributionClient, model: int, account: LocalAccount) -> None:
        self._client = client
        self._model = model
        self._account = account

    def sell(self, job_id: int, question: str) -> dict[str, Any]:
        """The answer, once the job is settled. Raises Refused for a job that does not pay for this question."""
        try:
            job = self._client.job(job_id)
        except AttributionError as error:
            raise Refused(PAYMENT_REQUIRED, f"job {job_id}: {error}") from error
        now = self._client.web3.eth.get_block("latest")["timestamp"]
        if job.state != OPEN or now >= job.deadline:
            raise Refused(PAYMENT_REQUIRED, f"job {job_id} is not open")
        if job.model_id != self._model:
            raise Refused(PAYMENT_REQUIRED, f"job {job_id} pays for model {job.model_id}, this is model {self._model}")
        if job.request_hash != bytes(Web3.keccak(text=question)):
            raise Refused(
                PAYMENT_REQUIRED, f"job {job_id} pays for another question: its text must be equal to the byte"
            )
        answer = answer_of(question)
        sizes = len(tokenize(question)), len(tokenize(answer))
        fee = self._client.quote(self._model, *sizes)
        if job.escrow < fee:
            raise Refused(PAYMENT_REQUIRED, f"job {job_id} holds {job.escrow} wei, the answer costs {fee}")
        receipt = self._client.settle(
            self._account,
            job_id,
            input_tokens=sizes[0],
            output_tokens=sizes[1],
            response_hash=bytes(Web3.keccak(text=answer)),
        )
        return {"answer": answer, "fee": str(fee), "transaction": receipt["transactionHash"].to_0x_hex()}


class Handler(BaseHTTPRequestHandler):
    """POST {"job": N, "question": TEXT}."""

    seller: ClassVar[Seller]

    def do_POST(self) -> None:
        """Answers one question."""
        try:
            self._reply(200, self.seller.sell(*self._asked()))
        except Refused as error:
            self._reply(error.status, {"error": str(error)})

    def _asked(self) -> tuple[int, str]:
        try:
            length = int(self.headers.get("Content-Length", "0"))
            asked = json.loads(self.rfile.read(max(0, min(length, MAX_BYTES))))
            job, question = asked["job"], asked["question"]
            if type(job) is not int or not 0 <= job < 2**64 or not isinstance(question, str):
                raise ValueError
            return job, question
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(BAD_REQUEST, 'POST {"job": N, "question": TEXT}') from error

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serves until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Answer questions, and settle the job that pays for each.")
    parser.add_argument("model", type=int, help="id of the model")
    parser.add_argument("--account", type=int, default=1, choices=range(10), help="development account: the attributor")
    parser.add_argument("--rpc-url", default=os.environ.get("OPENROLLUP_RPC_URL", "http://127.0.0.1:9545"))
    parser.add_argument("--port", type=int, default=8080, help="port to listen on; 0: any free port")
    options = parser.parse_args()
    client = AttributionClient(Web3(Web3.HTTPProvider(options.rpc_url)))
    Handler.seller = Seller(client, options.model, Account.from_key(USERS[options.account].private_key))
    server = HTTPServer(("127.0.0.1", options.port), Handler)
    print(f"answering at http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
