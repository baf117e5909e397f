"""The HTTP headers of each page: from where it may load, and where it may send.

The pages load from their own origin and from nowhere else. They cannot be framed, they send no referrer, and no text
that they show can become a script.
"""

import re
from collections.abc import Mapping
from typing import Final

_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")
_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)


def page_headers(host: str | None) -> Mapping[str, str]:
    """The headers of every page; `host` is the request's Host, whose WebSocket the page opens."""
    connect = "connect-src 'self'"
    if host is not None and _HOST.fullmatch(host):
        connect += f" ws://{host} wss://{host}"  # 'self' alone does not cover WebSockets in every browser
    return {
        "Content-Security-Policy": "; ".join((*_POLICY, connect)),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
