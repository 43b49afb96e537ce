"""JSON-RPC messages as bytes of one line, and what is said to a client that sends something else."""

from __future__ import annotations

import json
import logging

import mcp_types as types
from mcp_types.jsonrpc import JSONRPCResponse
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

_log = logging.getLogger(__name__)


class BadMessageError(ValueError):
    """A line is no message.

    Attributes:
        answer: what to say to the client; None where an answer is not due: to a broken response or notification.
    """

    def __init__(self, reason: str, answer: types.JSONRPCError | None) -> None:
        super().__init__(reason, answer)
        self.reason = reason
        self.answer = answer

    def __str__(self) -> str:
        return self.reason


def decode(line: bytes) -> types.JSONRPCMessage:
    """The message of a line. Bytes that are no UTF-8 are replaced where they stand in strings.

    Raises:
        BadMessageError: it is no JSON, or no JSON-RPC message.
    """
    text = line.decode("utf-8", errors="replace")
    try:
        return types.jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as error:
        raise _explained(text, error) from None


def encode(message: types.JSONRPCMessage) -> bytes:
    """The message as one line, without its newline. A response that JSON can't carry becomes an error."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode()
    except (PydanticSerializationError, UnicodeEncodeError):
        _log.exception("a message could not be written as JSON")
        request_id = (
            message.id if isinstance(message, (JSONRPCResponse, types.JSONRPCError)) else None
        )
        failure = types.ErrorData(
            code=types.INTERNAL_ERROR,
            message="the answer can't be written as JSON; please report this",
        )
        return (
            types.JSONRPCError(jsonrpc="2.0", id=request_id, error=failure)
            .model_dump_json()
            .encode()
        )


def refusal(
    code: int, reason: str, request_id: types.RequestId | None = None
) -> types.JSONRPCError:
    """What is said to a client whose message can't be understood."""
    return types.JSONRPCError(
        jsonrpc="2.0", id=request_id, error=types.ErrorData(code=code, message=reason)
    )


def _explained(text: str, error: ValidationError) -> BadMessageError:
    if any(
        problem["type"] == "json_invalid"
        for problem in error.errors(include_url=False, include_input=False)
    ):
        reason = "Parse error: the line is no JSON"
        return BadMessageError(reason, refusal(types.PARSE_ERROR, reason))
    document = json.loads(text)
    if isinstance(document, list):
        reason = "Invalid request: batches are not part of MCP; send one message a line"
        return BadMessageError(reason, refusal(types.INVALID_REQUEST, reason))
    reason = "Invalid request: not a JSON-RPC 2.0 message"
    if not isinstance(document, dict):
        return BadMessageError(reason, refusal(types.INVALID_REQUEST, reason))
    request_id = document.get("id")
    if "method" not in document and ("result" in document or "error" in document):
        return BadMessageError("a response that is none was skipped", None)
    if not isinstance(request_id, (str, int)) or isinstance(request_id, bool):
        request_id = None
    return BadMessageError(reason, refusal(types.INVALID_REQUEST, reason, request_id))
