"""Measure what `release/fast_graph.json` says: `python -m tests.benchmarks.calibrate FILE…`, texts of the kind to be embedded.

What is committed was measured once and is not measured again by a build: other texts, another processor or another
onnxruntime would give other numbers here and there, and so another graph.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
import onnx
import onnxruntime

from cognitive_memory.encoding.tokenization import TextTokenizer
from release.safetensors_header import read_header
from tests.support.real_model import DIRECTORY, linked_copy

_SHARE = 0.7
"""How much of the difference between columns the inputs' side takes ("alpha" of SmoothQuant)."""
_APART = 4


def largest_inputs(texts: list[str]) -> dict[str, np.ndarray]:
    """The largest number, by magnitude, of each input column, by the prefix of the weights that it meets."""
    largest: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(1))
    tokenizer = TextTokenizer(DIRECTORY, 256)
    with tempfile.TemporaryDirectory() as folder:
        graph = linked_copy(Path(folder)) / "observed.onnx"
        model = onnx.load(str(DIRECTORY / "all-MiniLM-L6-v2.onnx"), load_external_data=False)
        products = {n.input[1].removesuffix(".weight"): n.input[0] for n in model.graph.node if n.op_type == "Gemm"}
        names = sorted(set(products.values()))
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        onnx.save(model, str(graph))
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        for text in texts:
            rows, _ = tokenizer([text])
            inputs = {"input_ids": rows[0][None], "attention_mask": np.ones((1, len(rows[0])), np.int64)}
            seen = dict(zip(names, session.run(names, inputs), strict=True))
            for prefix, name in products.items():
                largest[prefix] = np.maximum(largest[prefix], np.abs(seen[name]).max(axis=0))
    return largest


def measured(largest: dict[str, np.ndarray]) -> dict[str, dict[str, object]]:
    """The content of `fast_graph.json`."""
    content = np.memmap(DIRECTORY / "model.safetensors", np.uint8, "r")
    places = read_header(DIRECTORY / "model.safetensors")
    strongest: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(1))
    inputs: dict[str, np.ndarray] = {}
    for prefix, numbers in largest.items():
        place = places[f"{prefix}.weight"]
        weight = content[place.offset : place.offset + place.length].view("<f4").reshape(place.shape)
        group = prefix.rpartition(".")[0] if ".self." in prefix else prefix
        strongest[group] = np.maximum(strongest[group], np.abs(weight).max(axis=0))
        inputs[group] = numbers
    scales, apart = {}, {}
    for group, numbers in inputs.items():
        if group.endswith((".self", ".intermediate.dense")):
            logarithm = _SHARE * np.log2(numbers) - (1 - _SHARE) * np.log2(strongest[group])
            scales[group] = " ".join(map(str, np.rint(4 * (logarithm - logarithm.mean())).astype(int)))
        elif ".attention." not in group:
            apart[group] = sorted(np.argsort(-numbers * strongest[group])[:_APART].tolist())
    return {"quarter_octaves": scales, "apart": apart}


@click.command()
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
def main(files: tuple[Path, ...]) -> None:
    """Print what the texts of FILES, paragraph by paragraph, give."""
    whole = "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    texts = [part.strip() for part in re.split(r"\n\s*\n", whole) if len(part.strip()) > 20]
    click.echo(json.dumps(measured(largest_inputs(texts)), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
