"""A wallet in the browser: discovered, connected, taught this chain, refused, and its account changed."""

import re

from playwright.sync_api import expect

# A wallet of 40 lines: it announces itself, asks nobody, and sends what it signs through the node that it is on.
WALLET = """
(() => {
  const listeners = {};
  const state = {chain: '0x1', known: false, account: 8, log: [], reject: false};
  const rpc = async (method, params) => {
    const body = JSON.stringify({jsonrpc: '2.0', id: 1, method, params});
    const response = await fetch('/', {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
    const answer = await response.json();
    if (answer.error) throw answer.error;
    return answer.result;
  };
  const account = async () => (await rpc('eth_accounts', []))[state.account];
  const provider = {
    on: (name, act) => (listeners[name] = act),
    request: async ({method, params = []}) => {
      state.log.push(method);
      if (state.reject) throw {code: 4001, message: 'User rejected the request.'};
      if (method === 'eth_requestAccounts') return [await account()];
      if (method === 'eth_chainId') return state.chain;
      if (method === 'wallet_switchEthereumChain' && !state.known) throw {code: 4902, message: 'Unrecognized chain'};
      if (method === 'wallet_addEthereumChain') [state.known, state.added] = [true, params[0]];
      if (method.startsWith('wallet_')) return (state.chain = params[0].chainId), null;
      return rpc(method, params);
    },
  };
  const change = async (index) => { state.account = index; listeners.accountsChanged([await account()]); };
  window.stub = {state, change};
  const announce = () => dispatchEvent(new CustomEvent('eip6963:announceProvider',
    {detail: Object.freeze({info: {uuid: 'stub', name: 'Stub <b>wallet</b>', icon: '', rdns: 'x'}, provider})}));
  addEventListener('eip6963:requestProvider', announce);
  announce();
})();
"""


def connect(page):
    page.locator(".wallet summary").click()
    page.get_by_role("button", name="Connect Stub <b>wallet</b>").click()


def test_a_wallet_is_found_connected_and_taught_the_chain(chain, visit):
    page = visit(chain, "", script=WALLET)
    connect(page)
    expect(page.locator(".wallet-name")).to_have_text("Stub <b>wallet</b>")
    added = page.evaluate("stub.state.added")
    assert added["chainId"] == "0x385"
    assert added["nativeCurrency"] == {"name": "OPEN", "symbol": "OPEN", "decimals": 18}
    assert added["rpcUrls"] == [chain.url]
    assert page.evaluate("stub.state.log").count("wallet_addEthereumChain") == 1


def test_a_wallet_pays_and_its_refusal_is_not_shown_as_an_error(chain, visit):
    page = visit(chain, "studio", script=WALLET)
    connect(page)
    page.get_by_label("Prompt").fill("What helps on a night shift?")
    page.get_by_role("button", name="Answer", exact=True).click()
    page.evaluate("stub.state.reject = true")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("button", name="Pay")).to_be_enabled()
    assert page.locator(".failure").count() == 0
    page.evaluate("stub.state.reject = false")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text(re.compile(r"Inference \d+ of"))).to_be_visible()
    newest = chain.rpc("open_listInferences", {}, None, 1)["inferences"][0]
    assert newest["payer"] == chain.rpc("eth_accounts")[8]


def test_another_account_in_the_wallet_is_another_account_here(chain, visit):
    page = visit(chain, "earnings", script=WALLET)
    connect(page)
    accounts = chain.rpc("eth_accounts")
    expect(page.get_by_role("link", name=accounts[8])).to_be_visible()
    page.evaluate("stub.change(9)")
    expect(page.get_by_role("link", name=accounts[9])).to_be_visible()
