"""Where answers come from: a model behind a URL, of the command line or of the page, and what it was given."""

import pytest
import requests
from playwright.sync_api import expect

from rollup.studio.remote_model import RemoteModel
from tests.web.model_server import ModelServer

QUESTION = "What helps a nurse through a night shift?"
PARAPHRASE = "Low ferritin tells of empty iron stores long before the blood count shows anaemia."


@pytest.fixture(scope="module")
def served():
    found = ModelServer()
    yield found
    found.close()


@pytest.fixture
def model(served):
    served.asked.clear()
    served.status, served.body = 200, None
    return served


def error_of(chain, method, *params, **headers):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return requests.post(chain.url, json=body, headers=headers, timeout=20).json()["error"]["message"]


def test_a_model_is_given_the_nearest_texts_and_the_answer_says_which(chain, model):
    found = chain.rpc("open_generateFrom", {"url": model.url, "model": "tiny"}, "0x1", QUESTION, "0x20")
    ((path, key, asked),) = model.asked
    assert (path, key) == ("/v1/chat/completions", None)
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("tiny", 32, False)
    assert asked["messages"][-1] == {"role": "user", "content": QUESTION}
    assert found["source"] == "tiny"
    texts = [chain.rpc("open_getContent", item["contentHash"]) for item in found["retrieved"]]
    assert len(texts) == 3
    assert "Night work and the body clock" in texts[0]
    assert found["text"] == "\n\n".join(texts)[:6000] or found["text"].startswith(texts[0])
    spans = chain.rpc("open_trace", "0x1", found["text"])["spans"]
    assert {span["contentHash"] for span in spans} <= {item["contentHash"] for item in found["retrieved"]}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b"oh no", "HTTP 500 and no chat completion"),
        (307, b"", "HTTP 307 and no chat completion"),
        (200, b'{"choices":[]}', "no chat completion"),
        (200, b'{"choices":[{"message":{"content":""}}]}', "an empty text"),
        (200, b'{"choices":[{"message":{"content":[1]}}]}', "an empty text"),
    ],
)
def test_a_bad_answer_is_reported_and_a_redirect_is_not_followed(chain, model, status, body, words):
    model.status, model.body = status, body
    assert words in error_of(chain, "open_generateFrom", {"url": model.url}, "0x1", QUESTION)
    assert [path for path, _, _ in model.asked] == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1/v1",
        {},
        {"url": "file:///etc/passwd"},
        {"url": "http://user:secret@127.0.0.1/v1"},
        {"url": "http://[::1"},
        {"url": "http:///v1"},
        {"url": "http://127.0.0.1/\nx"},
        {"url": "http://127.0.0.1/v1", "model": ""},
        {"url": "http://127.0.0.1/v1", "key": "k"},
    ],
    ids=range(9),
)
def test_an_invalid_model_url_is_refused(chain, place):
    assert "invalid argument 0" in error_of(chain, "open_generateFrom", place, "0x1", QUESTION)


def test_a_url_that_does_not_answer_is_named(chain):
    message = error_of(chain, "open_generateFrom", {"url": "http://127.0.0.1:9/v1"}, "0x1", QUESTION)
    assert message.startswith("http://127.0.0.1:9/v1 does not answer")


def test_the_model_of_the_command_line_answers_with_its_key_and_the_page_can_name_another(model):
    from tests.web.page_chain import PageChain
    from tests.web.story import play_texts

    chain = PageChain(model=RemoteModel(model.url, "house", "secret")).start()
    try:
        play_texts(chain)
        assert chain.rpc("open_answerSource") == {"source": "house", "url": model.url}
        assert chain.rpc("open_generate", "0x1", QUESTION)["source"] == "house"
        chain.rpc("open_generateFrom", {"url": model.url, "model": "other"}, "0x1", QUESTION)
        chain.rpc("open_generateFrom", {"url": model.url + "/", "model": "other"}, "0x1", QUESTION)
        assert [(key, asked["model"]) for _, key, asked in model.asked] == [
            ("Bearer secret", "house"),
            ("Bearer secret", "other"),
            (None, "other"),
        ]
    finally:
        chain.stop()


def test_the_page_asks_the_model_of_its_field_and_shows_what_it_was_given(chain, visit, model):
    page = visit(chain, "studio")
    page.get_by_label("Prompt").fill(QUESTION)
    page.get_by_label("a model behind a URL").check()
    page.get_by_label("OpenAI-compatible URL").fill(model.url)
    page.get_by_label("Name of its model").fill("tiny")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_text("The model was given")).to_be_visible()
    expect(page.get_by_role("heading", name="Answer tiny")).to_be_visible()
    expect(page.locator(".answer mark").first).to_be_visible()


def test_a_paraphrase_is_credited_by_the_rule_for_followed_texts_and_its_share_is_shown(chain, visit):
    page = visit(chain, "studio")
    page.get_by_label("Prompt").fill("What does ferritin say?")
    page.get_by_label("paste an answer of your own").check()
    page.get_by_label("Its answer").fill(PARAPHRASE)
    page.get_by_role("button", name="Look whose words these are").click()
    expect(page.locator(".answer mark.is-followed")).to_have_count(1)
    expect(page.locator(".coverage")).to_contain_text("follows a text in other words 100.0 %")
    page.locator(".answer mark").click()
    expect(page.get_by_text("This sentence follows text")).to_be_visible()
    expect(page.get_by_label("to whose words are quoted", exact=True)).to_be_disabled()
    expect(page.get_by_label("to whose texts are quoted or followed")).to_be_checked()
    page.get_by_role("button", name="Pay").click()
    row = page.get_by_role("table", name="Whose words are in the answer").locator("tbody tr")
    expect(row).to_contain_text("wei")
    made = chain.rpc("open_listInferences", {}, None, 1)["inferences"][0]
    trace = chain.rpc("open_trace", "0x1", PARAPHRASE)
    assert made["evidence"] == trace["related"]["evidence"] != trace["evidence"]
    page.get_by_role("link", name="http://").click()
    expect(page.get_by_text("sentences that follow a text, were paid")).to_be_visible()
