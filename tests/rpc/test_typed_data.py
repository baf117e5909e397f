"""eth_signTypedData_v4: what signs, and everything else an error of its own, never a crash."""

import contextlib
import copy
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from rollup.protocol.accounts import USERS
from rollup.rpc.errors import RpcError
from rollup.rpc.eth_accounts import EthAccounts
from rollup.rpc.methods import collect

USER = USERS[0]
WHO = "0x" + USER.address.hex()
MESSAGE: dict[str, Any] = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Mail": [
            {"name": "to", "type": "address"},
            {"name": "numbers", "type": "uint8[]"},
            {"name": "part", "type": "Part"},
        ],
        "Part": [{"name": "data", "type": "bytes4"}],
    },
    "primaryType": "Mail",
    "domain": {"name": "here", "chainId": 901},
    "message": {"to": "0x" + "11" * 20, "numbers": [1, 2], "part": {"data": "0x01020304"}},
}
WRONG = [
    None, -1, 2**300, "", "0x", "x", [], {}, [[]], True, 1.5, {"a": 1}, "Mail", "uint", "uint999", "bytes33",
    "uint8[][",
]  # fmt: skip


@pytest.fixture
def accounts() -> EthAccounts:
    backend: Any = SimpleNamespace(keys={USER.address: USER.private_key})
    made = EthAccounts.__new__(EthAccounts)
    made._backend = backend
    return made


def sign_typed(accounts: EthAccounts, typed: Any) -> str:
    signature: str = collect(accounts)["eth_signTypedData_v4"]([WHO, typed])
    return signature


@pytest.mark.parametrize("typed", [MESSAGE, json.dumps(MESSAGE)], ids=["object", "text"])
def test_signs_the_message(accounts: EthAccounts, typed: Any) -> None:
    signature = sign_typed(accounts, typed)
    message = encode_typed_data(full_message=copy.deepcopy(MESSAGE))
    assert Account.recover_message(message, signature=signature).lower() == WHO
    assert collect(accounts)["eth_signTypedData"]([WHO, typed]) == signature


@pytest.mark.parametrize("nested", [False, True])
def test_an_array_of_another_length_than_its_type_says_is_an_error(accounts: EthAccounts, nested: bool) -> None:
    """eth-account would sign it."""
    wanted = "string[2][]" if nested else "string[2]"
    types = {"EIP712Domain": [{"name": "name", "type": "string"}], "Note": [{"name": "lines", "type": wanted}]}

    def sign(lines: list[str]) -> str:
        message = {"lines": [lines] if nested else lines}
        typed = {"types": types, "primaryType": "Note", "domain": {"name": "x"}, "message": message}
        return sign_typed(accounts, typed)

    assert len(sign(["a", "b"])) == 2 + 130
    for lines in ([], ["a"], ["a", "b", "c"]):
        with pytest.raises(RpcError, match=rf"Expected 2 items for array type string\[2\], got {len(lines)} items"):
            sign(lines)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"types":' * 200_000, "", "{", "NaN", "\ud800"])
def test_text_that_is_not_json_is_an_error(accounts: EthAccounts, text: str) -> None:
    with pytest.raises(RpcError, match="invalid typed data: "):
        sign_typed(accounts, text)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield from places(value, (*path, key))


@pytest.mark.parametrize("place", list(places(MESSAGE))[1:], ids=str)
def test_a_wrong_value_anywhere_is_an_error_or_signs(accounts: EthAccounts, place: tuple[Any, ...]) -> None:
    for value in WRONG:
        typed = node = copy.deepcopy(MESSAGE)
        for key in place[:-1]:
            node = node[key]
        node[place[-1]] = value
        with contextlib.suppress(RpcError):
            assert len(sign_typed(accounts, typed)) == 2 + 130
