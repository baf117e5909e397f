"""The explorer in a real browser: blocks of both layers, who was paid, what a reorganisation replaced."""

from playwright.sync_api import expect


def last_inference(chain):
    return chain.rpc("open_listInferences", {}, None, 10)["inferences"]


def test_both_layers_stand_side_by_side_and_the_verifier_agrees(chain, visit):
    page = visit(chain)
    expect(page.get_by_role("region", name="L1").get_by_role("listitem").first).to_be_visible()
    head = chain.node.l2.chain.head.number
    expect(page.get_by_role("region", name="L2").get_by_role("link", name=f"#{head}", exact=True)).to_be_visible()
    expect(page.get_by_text("equal at #")).to_be_visible()
    expect(page.get_by_role("region", name="L1").get_by_text("batch transaction").first).to_be_visible()


def test_the_first_page_is_two_files_and_few_questions(chain, browser):
    asked = []
    page = browser.new_context().new_page()
    page.on("request", lambda request: asked.append((request.method, request.url.removeprefix(chain.url))))
    page.goto(chain.url)
    expect(page.get_by_role("region", name="L2").get_by_role("listitem").first).to_be_visible()
    assert [path.rpartition("/")[2] for method, path in asked if method == "GET" and path] == [
        "bundle.js",
        "bundle.css",
    ]
    assert sum(method == "POST" for method, _ in asked) <= 12
    page.context.close()


def test_the_heads_wait_for_no_question(chain, visit):
    none_answered = {"**/*": lambda route: route.continue_() if route.request.method == "GET" else None}
    page = visit(chain, routes=none_answered)
    expect(page.locator(".strip")).to_contain_text(f"unsafe #{chain.node.l2.chain.head.number}")


def test_the_heads_do_not_wait_for_the_verifier(chain, visit):
    page = visit(chain, routes={"**/rpc/verifier": lambda route: None})  # never answered
    head = chain.node.l2.chain.head.number
    expect(page.get_by_role("region", name="L2").get_by_role("link", name=f"#{head}", exact=True)).to_be_visible()


def test_who_was_paid_is_what_open_getInference_says_to_the_wei(chain, visit):
    made = next(item for item in last_inference(chain) if item["influence"])
    page = visit(chain, f"l2/tx/{made['transactionHash']}")
    table = page.get_by_role("table", name="Credits of the fee")
    expect(table).to_be_visible()
    shown = [cell.inner_text().removesuffix(" wei").replace(",", "") for cell in table.locator("td:nth-child(3)").all()]
    whole = chain.rpc("open_getInference", made["transactionHash"])
    credits = [str(int(item["amount"], 16)) for item in whole["credits"]]
    assert shown == [*credits, str(int(made["fee"], 16))]
    assert sum(map(int, credits)) == int(made["fee"], 16)


def test_a_log_and_a_call_are_read_by_the_interface_of_the_node(chain, visit):
    made = last_inference(chain)[0]
    page = visit(chain, f"l2/tx/{made['transactionHash']}")
    expect(page.get_by_role("heading", name="Call: infer")).to_be_visible()
    expect(page.locator(".log-head").get_by_text("Inferred")).to_be_visible()


def test_search_finds_blocks_transactions_addresses_and_models(chain, visit):
    made = last_inference(chain)[0]
    page = visit(chain)
    field = page.get_by_role("searchbox")
    for text, title in (
        ("3", "L2 block #3"),
        ("l1 2", "L1 block #2"),
        (made["transactionHash"], "Transaction"),
        (made["blockHash"], f"L2 block #{int(made['blockNumber'], 16)}"),
        (made["payer"], "Dev account 2"),
    ):
        field.fill(text)
        field.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    field.fill("0x" + "ab" * 32)
    field.press("Enter")
    expect(page.get_by_text("No result for")).to_be_visible()


def test_a_page_as_curl_says_the_calls_that_it_made(chain, visit):
    page = visit(chain, "l2/block/2")
    page.get_by_text("This page as curl or web3.py").click()
    code = page.locator(".as-code code")
    expect(code).to_contain_text("eth_getBlockByNumber")
    page.get_by_role("button", name="web3.py").click()
    expect(code).to_contain_text("from web3 import Web3")
    expect(code).to_contain_text('make_request("eth_getBlockByNumber", ["0x2", True])')


def test_the_genesis_block_and_unknown_things_are_said(chain, visit):
    page = visit(chain, "l2/block/0")
    expect(page.get_by_text("It is the genesis block")).to_be_visible()
    page.goto(f"{chain.url}#/l2/tx/0x{'12' * 32}")
    expect(page.get_by_text("L2 has no transaction with this hash")).to_be_visible()
    page.goto(f"{chain.url}#/nonsense")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()


def test_heads_move_while_the_page_is_open_and_stand_still_when_paused(chain, visit):
    page = visit(chain)
    strip = page.locator(".strip")
    before = chain.node.l2.chain.head.number
    expect(strip).to_contain_text(f"unsafe #{before}")
    chain.step(2)
    expect(strip).to_contain_text(f"unsafe #{before + 2}")
    page.get_by_role("button", name="Pause").click()
    chain.step(1)
    page.wait_for_timeout(600)
    expect(strip).to_contain_text(f"unsafe #{before + 2}")
    page.get_by_role("button", name="Resume").click()
    chain.step(1)
    expect(strip).to_contain_text(f"unsafe #{before + 4}")


def test_a_transaction_shows_what_it_changed_as_the_tracer_says(chain, visit):
    inference = chain.rpc("open_listInferences", {"modelId": "0x1"}, None, "0x1")["inferences"][0]
    options = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    found = chain.rpc("debug_traceTransaction", inference["transactionHash"], options)
    payer = inference["payer"].lower()
    page = visit(chain, f"l2/tx/{inference['transactionHash']}")
    page.get_by_role("button", name="Show what changed").click()
    table = page.get_by_role("table", name="State changes")
    expect(table).to_be_visible()
    slots = sum(len(account.get("storage", {})) for account in found["post"].values())
    cleared = sum(
        len(set(account.get("storage", {})) - set(found["post"].get(address, {}).get("storage", {})))
        for address, account in found["pre"].items()
    )
    expect(table.locator("tbody tr", has_text="storage")).to_have_count(slots + cleared)
    balance = table.locator("tbody tr", has_text="balance").filter(has_text="Dev account")
    before = int(found["pre"][payer]["balance"], 16)
    assert any(f"{before // 10**18:,}." in text for text in balance.all_inner_texts())
