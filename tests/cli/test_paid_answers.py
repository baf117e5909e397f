"""The example of an API that answers and charges: only an open job that pays for the question gets an answer."""

import importlib.util
import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

QUESTION = "How do I treat dehydration?"


@pytest.fixture(scope="module")
def model(native_shell):
    native_shell.run("datanet", "create", "--name", "api")
    return native_shell.json("model", "register", "examples/model.yaml")["modelId"]


@pytest.fixture(scope="module")
def url(native_shell, model):
    """The server of the example in a process of its own."""
    command = [sys.executable, "examples/api/paid_answers.py", str(model), "--account", "1", "--port", "0"]
    environment = os.environ | {"OPENROLLUP_RPC_URL": native_shell.url, "PYTHONPATH": "."}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture
def job(native_shell, model, tmp_path):
    def opened(question=QUESTION, escrow="0.05open"):
        path = tmp_path / "question.txt"
        path.write_text(question)
        opening = ("job", "open", model, "--escrow", escrow, "--request", path, "--account", "2")
        return native_shell.json(*opening)["jobId"]

    return opened


def ask(url, job, question=QUESTION):
    body = json.dumps({"job": job, "question": question}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_an_open_job_is_answered_and_settled_at_the_quote(native_shell, url, job):
    number = job()
    status, answered = ask(url, number)
    assert status == 200
    assert answered["answer"]
    settled = native_shell.json("job", "show", number)
    assert settled["state"] == "settled"
    assert 0 < int(answered["fee"]) < 5 * 10**16
    assert ask(url, number) == (402, {"error": f"job {number} is not open"})


def test_a_job_pays_for_its_own_question_and_for_all_of_the_answer(url, job):
    number = job()
    status, refused = ask(url, number, "Another question?")
    assert (status, "another question" in refused["error"]) == (402, True)
    status, refused = ask(url, job(escrow="1gwei"))
    assert (status, "the answer costs" in refused["error"]) == (402, True)


def test_the_commands_of_its_docstring_send_a_file_as_it_is(url, job, tmp_path):
    number = job('"Dehydration": how\ndo I treat it?\n')
    spec = importlib.util.spec_from_file_location("paid_answers", "examples/api/paid_answers.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    (line,) = [line for line in example.__doc__.splitlines() if "python -c" in line]
    _, option, program, arrow, name = shlex.split(line.replace('"job": 1,', f'"job": {number},'))
    assert (option, arrow) == ("-c", ">")
    asked = subprocess.check_output([sys.executable, option, program], cwd=tmp_path)
    assert f"curl --data @{name} " in example.__doc__
    with urllib.request.urlopen(urllib.request.Request(url, asked)) as answer:
        assert answer.status == 200


def test_a_job_that_is_not_there_pays_for_nothing(url):
    assert ask(url, 10**6)[0] == 402


@pytest.mark.parametrize(
    ("job", "question"), [("one", "x"), (-1, "x"), (2**64, "x"), (True, "x"), (1.5, "x"), (1, None)]
)
def test_something_else_than_a_job_and_a_question_is_refused(url, job, question):
    assert ask(url, job, question)[0] == 400
