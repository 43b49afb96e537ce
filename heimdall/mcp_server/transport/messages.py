"""JSON-RPC messages as bytes of one line, and what is said to a client that sends something else."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import mcp_types as types
from mcp_types.jsonrpc import JSONRPCResponse
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from heimdall.mcp_server.transport.lines import TooLongError
from heimdall.mcp_server.transport.outline import (
    Outline,
    id_at_end,
    outlines,
    without_lone_surrogates,
)

ANSWERS: Final = (JSONRPCResponse, types.JSONRPCError)
"""What settles a request."""

_log = logging.getLogger(__name__)


class BadMessageError(ValueError):
    """A line is no message.

    Attributes:
        answers: what to say to the client: to each request that can be told apart, with its id; nothing where no answer
            is due: to a broken response.
    """

    def __init__(self, reason: str, answers: Sequence[types.JSONRPCError] = ()) -> None:
        super().__init__(reason)
        self.answers = tuple(answers)


def decode(line: bytes) -> types.JSONRPCMessage:
    """The message of a line. Bytes that are no UTF-8, and lone surrogates, are replaced where they stand in strings.

    Raises:
        BadMessageError: it is no JSON, or no JSON-RPC message.
    """
    text = line.decode("utf-8", errors="replace").removeprefix("\ufeff")
    try:
        message = types.jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as error:
        repaired = without_lone_surrogates(text) if "\\" in text else text
        if repaired != text:
            return decode(repaired.encode())
        raise _explained(text, error) from None
    # A request whose id is null or 1.5 passes for a notification, and its client would wait for ever.
    if isinstance(message, types.JSONRPCNotification):
        (outline,) = outlines(text)
        if "id" in outline.names:
            raise _refused("Invalid request: an id is a string or an integer", [outline])
    return message


def encode(message: types.JSONRPCMessage) -> bytes:
    """The message as one line, without its newline. A response that JSON can't carry becomes an error."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True, warnings=False).encode()
    except (PydanticSerializationError, UnicodeEncodeError):
        _log.exception("a message could not be written as JSON")
        request_id = message.id if isinstance(message, ANSWERS) else None
        reason = "the answer can't be written as JSON; please report this"
        return encode(refusal(types.INTERNAL_ERROR, reason, request_id))


def refusal(code: int, reason: str, request_id: str | float | None = None) -> types.JSONRPCError:
    """What is said to a client whose message can't be understood."""
    error = types.ErrorData(code=code, message=reason)
    # Unchecked, since a number that MCP does not have as an id is repeated: the client knows its own.
    return types.JSONRPCError.model_construct(jsonrpc="2.0", id=request_id, error=error)


def too_long(error: TooLongError) -> types.JSONRPCError:
    """What is said to a message that was too long to be read: with its id, if that stands near either end."""
    head = outlines(error.head.decode("utf-8", errors="replace"))
    request_id = head[0].id if head else None
    if request_id is None:
        request_id = id_at_end(error.tail.decode("utf-8", errors="replace"))
    return refusal(types.INVALID_REQUEST, f"Invalid request: {error}", request_id)


def _explained(text: str, error: ValidationError) -> BadMessageError:
    kinds = {problem["type"] for problem in error.errors(include_url=False, include_input=False)}
    found = outlines(text)
    if "json_invalid" in kinds:
        (problem, *_) = error.errors(include_url=False, include_input=False)
        reason = f"Parse error: {problem['msg']}"
        return _refused(reason, found, code=types.PARSE_ERROR)
    if text.lstrip().startswith("["):
        reason = "Invalid request: batches are not part of MCP; send one message at a time"
    else:
        reason = "Invalid request: not a JSON-RPC 2.0 message"
    return _refused(reason, found)


def _refused(
    reason: str, found: Sequence[Outline], *, code: int = types.INVALID_REQUEST
) -> BadMessageError:
    if found and not any(outline.wants_answer for outline in found):
        return BadMessageError("a response that is none was skipped")
    ids = [outline.id for outline in found if outline.wants_answer and outline.id is not None]
    answers = [refusal(code, reason, request_id) for request_id in ids]
    return BadMessageError(reason, answers or [refusal(code, reason)])
