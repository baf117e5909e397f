"""The pages as answers to GET: the shell for browsers at `/`, and the static files under the hash of their content."""

import hashlib
import json
from collections.abc import Callable, Collection
from html import escape
from typing import Any, Final

from aiohttp import web

from rollup.rpc.server import Page
from rollup.web.bundle import BUNDLE
from rollup.web.files import SHEET, StaticFile, StaticFiles
from rollup.web.frame import frame
from rollup.web.headers import page_headers

_NOT_MODIFIED: Final = 304
_HEADS: Final = ("chains", "isActive", "isVerifierEqual")  # what the frame shows of openrollup_status
_FOREVER: Final = "public, max-age=31536000, immutable"
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='5.5' fill='none' stroke='%232457c5' stroke-width='3'/%3E%3C/svg%3E"
)
_SHELL: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="endpoints" content="{endpoints}">
<meta name="heads" content="{heads}">
<title>openrollup</title>
<link rel="icon" href="{icon}">
<link rel="modulepreload" href="{root}/{bundle}">
<link rel="stylesheet" href="{root}/{sheet}">
</head>
<body>
<div id="app">{frame}</div>
<script type="module" async src="{root}/{bundle}"></script>
<noscript><p>These pages need JavaScript. Programs can send JSON-RPC here, by POST or WebSocket.</p></noscript>
</body>
</html>
"""


class Site:
    """The pages of one port."""

    def __init__(self, endpoints: Collection[str], status: Callable[[], dict[str, Any]] | None = None) -> None:
        """endpoints: which of l1, node and verifier stand below /rpc on that port.

        status: the answer of openrollup_status, where this process has it. Its heads are in the shell, so they are
        shown without the script.
        """
        static = StaticFiles()
        self._status = status
        self._values = {"icon": _ICON, "root": static.root, "bundle": BUNDLE, "sheet": SHEET}
        self._values["endpoints"] = escape(" ".join(endpoints))
        self.pages: dict[str, Page] = {"/": self._on_shell}
        for item in static.files:
            self.pages[f"{static.root}/{item.path}"] = _file_page(item)

    def _on_shell(self, request: web.BaseRequest) -> web.Response | None:
        """The shell, for who accepts HTML; None for programs, which ask for anything."""
        if "text/html" not in request.headers.get("Accept", ""):
            return None
        heads = self._heads()
        text = "" if heads is None else escape(json.dumps(heads, separators=(",", ":")))
        shell = _SHELL.format(**self._values, heads=text, frame=frame(heads)).encode()
        tag = f'"{hashlib.sha256(shell).hexdigest()[:16]}"'
        headers = {
            **page_headers(request.headers.get("Host")),
            "Cache-Control": "no-cache",
            "ETag": tag,
            "Vary": "Accept",
        }
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=_NOT_MODIFIED, headers=headers)
        return web.Response(body=shell, content_type="text/html", charset="utf-8", headers=headers)

    def _heads(self) -> dict[str, Any] | None:
        """The figures in a page's frame; None if the page's script must ask for them."""
        if self._status is None:
            return None
        status = self._status()
        return {name: status[name] for name in _HEADS}


def _file_page(item: StaticFile) -> Page:
    def page(request: web.BaseRequest) -> web.Response:
        headers = {**page_headers(request.headers.get("Host")), "Cache-Control": _FOREVER}
        return web.Response(body=item.content, content_type=item.content_type, charset="utf-8", headers=headers)

    return page
