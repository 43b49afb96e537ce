"""A model's endpoint that says one sentence, and keeps what it was sent: what an assistant's model sees.

It speaks what the assistants speak: OpenAI's responses and chat completions, Anthropic's messages, and Gemini's
`generateContent`, streamed or whole.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = (
    "The fake model has nothing to say, and says so in a sentence that is long enough to be kept."
)

_USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


class FakeModel:
    """The endpoint.

    Attributes:
        url: its address, without a path.
        requests: the body of each request to a model, as JSON.
        answer: what it says.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self.answer = ANSWER

    def seen(self) -> str:
        """All that it was sent, with its line breaks."""
        return json.dumps(self.requests, ensure_ascii=False).replace("\\n", "\n")


@contextlib.contextmanager
def fake_model() -> Iterator[FakeModel]:
    """Serve one on loopback until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    model = FakeModel(f"http://127.0.0.1:{server.server_port}")
    server.model = model  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name)
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._send(b"", "text/plain")

    def do_GET(self) -> None:
        self._send(b'{"data": [], "models": []}', "application/json")

    def do_POST(self) -> None:
        model: FakeModel = self.server.model  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            asked: dict[str, Any] = json.loads(body)
        except ValueError:
            asked = {}
        path = self.path.partition("?")[0]
        kinds = {
            "/responses": _responses,
            "/chat/completions": _completions,
            "/messages": _messages,
            ":streamGenerateContent": _gemini,
            ":generateContent": _gemini,
        }
        speak = next((speak for end, speak in kinds.items() if path.endswith(end)), None)
        if speak is None:
            self._send(b"{}", "application/json")
            return
        model.requests.append(asked)
        streamed = asked.get("stream") or path.endswith(":streamGenerateContent")
        events = speak(model.answer)
        if not streamed:
            self._send(json.dumps(events[-1][1]).encode(), "application/json")
            return
        lines = [
            (f"event: {name}\n" if name else "") + f"data: {json.dumps(event)}\n\n"
            for name, event in events[:-1]
        ]
        if speak is _completions:
            lines.append("data: [DONE]\n\n")
        self._send("".join(lines).encode(), "text/event-stream")

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the assistant was ended
            self.wfile.write(content)


_Events = list[tuple[str, dict[str, Any]]]
"""The events of a stream by their names, and last the whole answer."""


def _responses(text: str) -> _Events:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {
        "type": "message",
        "id": "m1",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    whole = {
        "id": "r1",
        "object": "response",
        "created_at": 0,
        "model": "fake",
        "status": "completed",
        "output": [item],
        "usage": {
            **_USAGE,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "content": [], "status": "in_progress"},
        },
        {
            "type": "response.content_part.added",
            "item_id": "m1",
            "output_index": 0,
            "content_index": 0,
            "part": {**part, "text": ""},
        },
        {
            "type": "response.output_text.delta",
            "item_id": "m1",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
        },
        {
            "type": "response.output_text.done",
            "item_id": "m1",
            "output_index": 0,
            "content_index": 0,
            "text": text,
        },
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [(event["type"], event) for event in events] + [("", whole)]


def _completions(text: str) -> _Events:
    known = {"id": "c1", "created": 0, "model": "fake"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}

    def chunk(delta: dict[str, Any], end: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        return {**known, "object": "chat.completion.chunk", "choices": [choice]}

    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    whole = {**known, "object": "chat.completion", "choices": [choice], "usage": usage}
    return [("", chunk(message, None)), ("", {**chunk({}, "stop"), "usage": usage}), ("", whole)]


def _messages(text: str) -> _Events:
    usage = {"input_tokens": 1, "output_tokens": 1}
    known = {"id": "msg_1", "type": "message", "role": "assistant", "model": "fake"}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    block = {"type": "text", "text": text}
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {**known, "content": [], "stop_reason": None, "usage": usage},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": usage},
        {"type": "message_stop"},
    ]
    whole = {**known, **end, "content": [block], "usage": usage}
    return [(event["type"], event) for event in events] + [("", whole)]


def _gemini(text: str) -> _Events:
    content = {"role": "model", "parts": [{"text": text}]}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    whole = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage,
        "modelVersion": "fake",
    }
    return [("", whole), ("", whole)]
