"""JSON from outside, read so that it cannot end the process."""

import json
from typing import Any

import orjson


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text, integers of any size exact; raises json.JSONDecodeError, UnicodeDecodeError.

    json's decoder recurses on the C stack, up to the interpreter's recursion limit, which py_ecc raises to 100,000:
    nesting as deep as that overflows the stack. orjson refuses more than 1,024 levels, but makes floats of big
    integers, so that both are needed.
    """
    orjson.loads(text)
    return json.loads(text)
