"""A chat model with OpenAI's API that answers by rules, for backends that ask one."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self

Answer = tuple[int, dict[str, Any]]


class ChatModel:
    """Listens on a free port and answers each question with what `reply` says; use it in a `with`
    block.
    """

    def __init__(self, reply: Callable[[str], Answer]) -> None:
        self.requests: list[dict[str, Any]] = []
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.reply, self._server.requests = reply, self.requests
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def since(self, mark: int) -> list[str]:
        """The questions after a mark, which is a length of `requests`."""
        return [question(request["body"]) for request in self.requests[mark:]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def completion(text: str) -> Answer:
    """An answer with a text."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return 200, {
        "id": "chat",
        "object": "chat.completion",
        "model": "mock",
        "choices": choices,
        "usage": usage,
    }


def refusal(status: int, text: str) -> Answer:
    """An error as OpenAI words it."""
    return status, {"error": {"message": text, "type": "invalid_request_error", "code": None}}


def question(body: dict[str, Any]) -> str:
    """The text of the last message of a request."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


class Server(ThreadingHTTPServer):
    """The listening half."""

    daemon_threads = True
    reply: Callable[[str], Answer]
    requests: list[dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(
            {"path": self.path, "key": self.headers["Authorization"], "body": body}
        )
        if self.path.startswith("/v1/chat/completions"):
            status, answer = self.server.reply(question(body))
        else:
            status, answer = refusal(404, f"unknown path {self.path}")
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keeps the output to one line per step."""
