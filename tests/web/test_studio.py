"""The Studio in a real browser: from a dropped file to two contributors who are credited to the wei."""

import re

import pytest
from playwright.sync_api import expect

from attribution_precompile.influence import Corpus, tokenize
from attribution_precompile.terms import Price, Split
from rollup.cli.demo_texts import load_data_set
from rollup.inputs.model_file import model_of
from rollup.inputs.yaml_fields import parse_yaml
from tests.web.held_heads import HeldHeads
from tests.web.story import ACCOUNTS, EXAMPLES

FIRST = "Statins lower the level of cholesterol in the blood by thirty to fifty percent in most patients."
SECOND = "Ezetimibe adds a further fifth to the effect, because the gut takes up less cholesterol from food."
HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe \u200b</script><script>alert(2)</script>"


def drop(page, *files):
    page.get_by_text("Drop text files or a folder here").wait_for()
    sent = [{"name": name, "mimeType": "text/plain", "buffer": data} for name, data in files]
    page.set_input_files("input[type=file][multiple]", sent)


def register_model(page, chain, name="Lipids"):
    """Two texts by two accounts, a DataNet and a model of them."""
    drop(page, ("statins.md", FIRST.encode()), ("ezetimibe.md", SECOND.encode()))
    page.get_by_label("Who is paid for statins.md").select_option("Dev account 3")
    page.get_by_label("Who is paid for ezetimibe.md").select_option("Dev account 4")
    page.get_by_label("Its name").fill("Lipid notes")
    page.get_by_role("button", name="Create the DataNet with 2 texts").click()
    expect(page.get_by_text("DataNet 1 has 2 texts more")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Register the model").click()
    expect(page.get_by_text("model 1 is registered", exact=True)).to_be_visible()


def wei_of(cell):
    return cell.inner_text().removesuffix(" wei").replace(",", "")


def paste_answer(page, prompt, answer):
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_label("paste an answer of your own").check()
    page.get_by_label("Its answer").fill(answer)
    page.get_by_role("button", name="Look whose words these are").click()
    page.locator(".answer").wait_for()


def test_a_file_dropped_ends_with_two_contributors_credited_to_the_wei(fresh, visit):
    page = visit(fresh, "studio")
    register_model(page, fresh)
    paste_answer(page, "What lowers LDL? 🩺", f"Yes 🩺: {FIRST} And more. {SECOND}")
    marks = page.locator(".answer mark")
    expect(marks).to_have_count(2)
    # An emoji before a span is two units in JavaScript and one character in Python: the marks must not shift.
    assert [text.rstrip("12") for text in marks.all_inner_texts()] == [FIRST, SECOND]
    page.get_by_role("button", name="Pay").click()
    rows = page.get_by_role("table", name="Whose words are in the answer").locator("tbody tr")
    expect(rows.first).to_contain_text("wei")
    shown = {row.locator("a").first.get_attribute("title"): wei_of(row.locator("td").nth(5)) for row in rows.all()}
    made = fresh.rpc("open_listInferences", {}, None, 1)["inferences"][0]
    credits = fresh.rpc("open_getInference", made["transactionHash"])["credits"]
    members = {item["account"]: str(int(item["amount"], 16)) for item in credits if item["role"] == "member"}
    accounts = fresh.rpc("eth_accounts")
    assert shown == members
    assert set(members) == {accounts[3], accounts[4]}
    page.get_by_role("link", name="http://").click()
    expect(page.get_by_text("gives the evidence that the chain recorded")).to_be_visible()
    expect(page.locator(".answer mark")).to_have_count(2)


def test_the_trace_of_the_page_is_that_of_the_command_line(chain):
    answer = (EXAMPLES / "answers" / "night-shift.txt").read_text()
    expected = Corpus(load_data_set(EXAMPLES / "medical").documents(1)).trace(answer)
    found = chain.rpc("open_trace", "0x1", answer)
    assert found["evidence"] == "0x" + expected.evidence.hex()
    assert [int(word, 16) for word in found["influence"]] == list(expected.influence)
    assert int(found["outputTokens"], 16) == len(tokenize(answer))
    assert all(answer[int(span["start"], 16) : int(span["end"], 16)] == span["text"] for span in found["spans"])


def test_yaml_and_form_agree_both_ways(chain, visit):
    page = visit(chain, "studio")
    page.get_by_label("Name", exact=True).fill("Triage")
    page.get_by_label("DataNet 1").check()
    yaml = page.get_by_label("The same as YAML")
    expect(yaml).to_have_value(re.compile("- id: 1\n    weight: 1"))
    read = model_of(parse_yaml(yaml.input_value().encode(), "page"))
    assert (read.name, read.split, read.weights) == ("Triage", Split(3000, 0, 7000), ((1, 1),))
    assert read.price == Price(10**16, 10**15, 4 * 10**15)
    yaml.fill(yaml.input_value().replace("owner: 30%", "owner: 25.5%").replace("data: 70%", "data: 74.5%"))
    expect(page.get_by_label("You, the owner, %")).to_have_value("25.5")
    yaml.fill(yaml.input_value().replace("data: 74.5%", "data: 9%"))
    expect(page.get_by_text("sum to 3,450 basis points")).to_be_visible()


def test_binary_files_and_duplicates_are_reported_before_anything_is_sent(fresh, visit):
    page = visit(fresh, "studio")
    drop(page, ("scan.pdf", b"%PDF"), ("broken.txt", b"\xff\xfe"), ("a.txt", FIRST.encode()), ("b.txt", FIRST.encode()))
    table = page.get_by_role("table", name="Texts to register")
    expect(table.get_by_text("not a text file")).to_be_visible()
    expect(table.get_by_text("not UTF-8 text")).to_be_visible()
    expect(table.get_by_text("the same text as a.txt")).to_be_visible()
    expect(page.get_by_role("button", name="Create the DataNet with 1 text")).to_be_disabled()


def test_the_rows_of_a_csv_and_the_files_of_a_folder_become_texts(fresh, visit, tmp_path):
    rows = (
        "title,address,units,text\r\n"
        f'"Doses, low",{ACCOUNTS[3].address},7,"Take ""one"" a day,\nnever two"\r\n'
        f"Rest,{ACCOUNTS[4].address},,Sleep before the shift\r\n"
    )
    page = visit(fresh, "studio")
    drop(page, ("notes.csv", rows.encode()), ("broken.csv", b'text\n"never closed\n'))
    table = page.get_by_role("table", name="Texts to register")
    for words in ("Doses, low", "Rest", "not CSV: a quote is not closed"):
        expect(table.locator("tbody tr", has_text=words)).to_have_count(1)
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.md").write_text("the first text of a folder")
    (tmp_path / "deep" / "b.txt").write_text("the second text of a folder")
    page.set_input_files("input[webkitdirectory]", tmp_path)
    for words in ("a.md", "b.txt"):
        expect(table.locator("tbody tr", has_text=words)).to_have_count(1)


def test_the_n_gram_model_repeats_itself_and_only_the_texts(chain):
    first = chain.rpc("open_generate", "0x1", "What helps against high blood pressure?", "0x7", "0x50")
    assert first == chain.rpc("open_generate", "0x1", "What helps against high blood pressure?", "0x7", "0x50")
    assert first["source"] == "n-gram model"
    spans = chain.rpc("open_trace", "0x1", first["text"])["spans"]
    assert sum(int(span["tokens"], 16) for span in spans) > 10
    others = {chain.rpc("open_generate", "0x1", "Why?", hex(seed), "0x50")["text"] for seed in range(8)}
    assert len(others) > 1


def test_hostile_names_and_texts_are_shown_as_text(fresh, visit):
    page = visit(fresh, "studio")
    drop(page, (HOSTILE.replace("/", "") + ".txt", (HOSTILE + " and enough words to make a span of them").encode()))
    page.get_by_label("Its name").fill(HOSTILE)
    page.get_by_role("button", name="Create the DataNet with 1 text").click()
    expect(page.get_by_text("DataNet 1 has 1 text more")).to_be_visible()
    page.get_by_role("link", name="Look at DataNet 1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.get_by_role("heading", level=1)).to_contain_text("␦gnp.exe")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "between-two-questions"])
def test_a_reorganisation_that_undoes_an_inference_is_said(fresh, visit, is_seen):
    page = visit(fresh, "studio", has_news=is_seen)
    register_model(page, fresh)
    paste_answer(page, "What lowers LDL?", FIRST)
    before = fresh.node.l2.chain.head
    expect(page.locator(".strip")).to_contain_text(f"unsafe #{before.number}")
    held = None if is_seen else HeldHeads(page)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Inference 1 of")).to_be_visible()
    if is_seen:
        expect(page.locator(".strip")).to_contain_text(f"unsafe #{before.number + 1}")

    def undo(node):
        node.l2.chain.set_head(before.hash)
        node.l2.pool.clear()

    fresh.do(undo)
    if held:
        held.release()
    expect(page.get_by_text("Undone: a reorganisation removed the inference")).to_be_visible()
