"""A small server with an OpenAI-compatible chat completion, for tests: it keeps what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ModelServer:
    """Answers with the first line of the texts that it is given, so that the cause of an answer can be seen."""

    def __init__(self):
        self.asked = []
        self.status, self.body = 200, None  # another answer, where a test wants one
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append((self.path, self.headers.get("Authorization"), request))
                body = owner.body if owner.body is not None else owner.completion(request)
                self.send_response(owner.status)
                self.send_header("Location", "/v1/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        return Handler

    @staticmethod
    def completion(request):
        texts = [item["content"] for item in request["messages"] if item["role"] == "system"]
        answer = texts[0].partition("\n\n")[2] if texts else "I was given nothing."
        return json.dumps({"choices": [{"message": {"role": "assistant", "content": answer}}]}).encode()
