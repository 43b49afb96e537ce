"""JSON-RPC messages as bytes of one line, and what is said to a client that sends something else."""

from __future__ import annotations

import json
import logging
from typing import Final

import mcp_types as types
from mcp_types.jsonrpc import JSONRPCResponse
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

ANSWERS: Final = (JSONRPCResponse, types.JSONRPCError)
"""What settles a request."""

_log = logging.getLogger(__name__)


class BadMessageError(ValueError):
    """A line is no message.

    Attributes:
        answer: what to say to the client; None where an answer is not due: to a broken response or notification.
    """

    def __init__(self, reason: str, answer: types.JSONRPCError | None = None) -> None:
        super().__init__(reason)
        self.answer = answer


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
        request_id = message.id if isinstance(message, ANSWERS) else None
        reason = "the answer can't be written as JSON; please report this"
        return refusal(types.INTERNAL_ERROR, reason, request_id).model_dump_json().encode()


def refusal(
    code: int, reason: str, request_id: types.RequestId | None = None
) -> types.JSONRPCError:
    """What is said to a client whose message can't be understood."""
    error = types.ErrorData(code=code, message=reason)
    return types.JSONRPCError(jsonrpc="2.0", id=request_id, error=error)


def _explained(text: str, error: ValidationError) -> BadMessageError:
    kinds = {problem["type"] for problem in error.errors(include_url=False, include_input=False)}
    if "json_invalid" in kinds:
        reason = "Parse error: the line is no JSON"
        return BadMessageError(reason, refusal(types.PARSE_ERROR, reason))
    document, request_id = json.loads(text), None
    reason = "Invalid request: not a JSON-RPC 2.0 message"
    if isinstance(document, list):
        reason = "Invalid request: batches are not part of MCP; send one message a line"
    elif isinstance(document, dict):
        if "method" not in document and document.keys() & {"result", "error"}:
            return BadMessageError("a response that is none was skipped")
        named = document.get("id")
        if isinstance(named, (str, int)) and not isinstance(named, bool):
            request_id = named
    return BadMessageError(reason, refusal(types.INVALID_REQUEST, reason, request_id))
