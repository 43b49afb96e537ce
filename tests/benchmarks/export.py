"""The model as other projects have it: a graph that torch writes, with the weights inside.

Run by a Python that has torch, transformers and onnx: `python -m tests.benchmarks.export UPSTREAM TARGET`. `model.onnx`, with the
files beside it, is what fastembed downloads, which does pooling and normalising itself.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel

OPSET = 17


class States(torch.nn.Module):
    """The encoder alone."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        return self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state


def main(upstream: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    encoder = AutoModel.from_pretrained(upstream, local_files_only=True).eval()
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        States(encoder).eval(),
        tuple(torch.ones(2, 16, dtype=torch.long) for _ in inputs),
        str(target / "model.onnx"),
        input_names=inputs,
        output_names=["output"],
        dynamic_axes={key: {0: "batch", 1: "sequence"} for key in [*inputs, "output"]},
        opset_version=OPSET,
        dynamo=False,
    )
    for file in (
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "config.json",
    ):
        shutil.copy(upstream / file, target / file)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
