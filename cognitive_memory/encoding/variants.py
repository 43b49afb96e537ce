"""The forms of a model: which graph computes, and a label for the numbers that come out."""

from __future__ import annotations

from typing import Any

from cognitive_memory.core.config import FAST
from heimdall.models import receipts

FAST_ENDING = "-fast.onnx"
"""Ends the file name of a graph that multiplies in int8."""


def graph_name(model_name: str, variant: str) -> str:
    """The file name of the graph that computes in that variant."""
    return f"{model_name}{FAST_ENDING if variant == FAST else '.onnx'}"


def computes_weights(variant: str) -> bool:
    """Whether its graph makes what it multiplies with out of what is stored, when it is loaded."""
    return variant != "standard"


def device_for(variant: str, device: str) -> str:
    """The device that a variant runs on, of those that the configuration allows: int8 is for the CPU."""
    return "cpu" if variant == FAST else device


def numerics_label(
    entry: dict[str, Any], variant: str, device: str, long_texts: str = "cut"
) -> str:
    """A short text that is the same as long as a text gets the same vector, to within rounding in float32.

    It follows from the digests of the files that have a part in it, so no file is read.

    Args:
        entry: the model's entry in the manifest, plain JSON.
        variant: one that the entry serves.
        device: one of `core.config.DEVICES`. Those that compute in float32 as a CPU does get the same label.
        long_texts: one of `core.config.LONG_TEXTS`.
    """
    from hashlib import sha256  # loads OpenSSL, which no start of the engine needs

    unused = graph_name(entry["name"], "standard" if variant == FAST else FAST)
    pins = sorted(
        (path, digest) for path, (digest, _) in receipts.pins(entry).items() if path != unused
    )
    digest = sha256("\n".join(f"{path} {sha}" for path, sha in pins).encode()).hexdigest()[:16]
    others = [device] * (device in _OTHER_PRECISION) + [long_texts] * (long_texts != "cut")
    return "/".join([entry["name"], variant, digest, *others])


_OTHER_PRECISION = ("coreml",)
"""Devices that compute in half precision."""
