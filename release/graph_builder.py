"""Writing an ONNX model over the weights of a safetensors file, byte for byte the same wherever it is written.

Only what is asked for enters the file: no library version, no date, no defaults of `onnx.helper.make_model`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from onnx import GraphProto, ModelProto, TensorProto
from onnx.helper import make_attribute, make_tensor_value_info

from release.safetensors_header import Tensor

OPSET = 20
"""The first opset with `Gelu`; onnxruntime reads it since 1.17."""
IR_VERSION = 9
"""The ONNX file format that belongs to `OPSET`."""
PRODUCER = "heimdall-release"
CONTRIBUTED = "com.microsoft"
"""The domain of onnxruntime's own operators."""
FLOAT32 = int(TensorProto.FLOAT)
INT64 = int(TensorProto.INT64)
INT8 = int(TensorProto.INT8)
UINT8 = int(TensorProto.UINT8)
BOOL = int(TensorProto.BOOL)
BFLOAT16 = int(TensorProto.BFLOAT16)

Attribute = float | Sequence[int] | TensorProto
"""The value of an operator's attribute."""
ValueType = tuple[int, Sequence[str | int]]
"""Element type and dimensions of an input or output; a name is a dimension that is free."""


class GraphBuilder:
    """Collects nodes and initialisers, and every weight that is not as expected.

    Values are named by strings, as in ONNX: each method returns the name of what it added. Weights are external data,
    parts of the weights file.

    Attributes:
        problems: a sentence for each weight that is missing or of another type or shape.
    """

    def __init__(self, tensors: Mapping[str, Tensor], location: str) -> None:
        """Start an empty graph.

        Args:
            tensors: where each weight lies.
            location: name of the file, in the model's own folder, that holds them.
        """
        self.problems: list[str] = []
        self._tensors = tensors
        self._location = location
        self._graph = GraphProto()
        self._known: set[str] = set()

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Attribute) -> str:
        """Add an operator and return the name of its one output."""
        name = output or f"{operator.lower()}_{len(self._graph.node)}"
        node = self._graph.node.add(op_type=operator, input=inputs, output=[name])
        node.attribute.extend(make_attribute(key, value) for key, value in sorted(attributes.items()))
        return name

    def weight(self, name: str, *shape: int) -> str:
        """Use a float32 tensor of the weights file."""
        tensor = self._checked(name, shape)
        if tensor is not None and (initializer := self._new_initializer(name, shape, FLOAT32)) is not None:
            initializer.data_location = TensorProto.EXTERNAL
            place = {"location": self._location, "offset": str(tensor.offset), "length": str(tensor.length)}
            for key, value in place.items():
                initializer.external_data.add(key=key, value=value)
        return name

    def table(self, name: str, *shape: int) -> str:
        """Use a float32 matrix of the weights file of which single rows are looked up."""
        return self.weight(name, *shape)

    def look_up(self, table: str, indices: str) -> str:
        """The rows of a table at the indices, of shape (*indices, columns)."""
        return self.node("Gather", table, indices, axis=0)

    def linear(self, prefix: str, rows: str, out_width: int, in_width: int, *, after_gelu: bool = False) -> str:  # noqa: ARG002
        """Multiply rows by a weight of the file and add its bias.

        Args:
            prefix: the tensors are `<prefix>.weight`, of shape (out_width, in_width), and `<prefix>.bias`.
            rows: a matrix of `in_width` columns.
            out_width: columns of the result.
            in_width: columns of `rows`.
            after_gelu: whether `rows` came out of GELU, and are nowhere below -0.17.
        """
        weight = self.weight(f"{prefix}.weight", out_width, in_width)
        return self.node("Gemm", rows, weight, self.weight(f"{prefix}.bias", out_width), transB=1)

    def contributed(self, operator: str, *inputs: str) -> str:
        """Add an operator that onnxruntime alone has (its domain `com.microsoft`)."""
        name = self.node(operator, *inputs)
        self._graph.node[-1].domain = CONTRIBUTED
        return name

    def numbers(self, name: str, values: Sequence[float]) -> str:
        """Use a vector of float32 under a name."""
        return self._constant(name, (len(values),), FLOAT32, struct.pack(f"<{len(values)}f", *values))

    @staticmethod
    def one_of(element_type: int, raw: bytes) -> TensorProto:
        """A tensor with one element, for an attribute."""
        return TensorProto(dims=[1], data_type=element_type, raw_data=raw)

    def number(self, value: float) -> str:
        """Use a float32 scalar."""
        return self._constant(str(value), (), FLOAT32, struct.pack("<f", value))

    def integers(self, *values: int) -> str:
        """Use a vector of int64."""
        name = ",".join(str(value) for value in values)
        return self._constant(f"[{name}]", (len(values),), INT64, struct.pack(f"<{len(values)}q", *values))

    def serialised(self, name: str, inputs: Mapping[str, ValueType], outputs: Mapping[str, ValueType]) -> bytes:
        """The finished model, with a graph of that name."""
        self._graph.name = name
        for field, values in ((self._graph.input, inputs), (self._graph.output, outputs)):
            field.extend(make_tensor_value_info(key, kind, shape) for key, (kind, shape) in values.items())
        model = ModelProto(ir_version=IR_VERSION, producer_name=PRODUCER, graph=self._graph)
        model.opset_import.add(domain="", version=OPSET)
        if any(node.domain == CONTRIBUTED for node in self._graph.node):
            model.opset_import.add(domain=CONTRIBUTED, version=1)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised

    def _checked(self, name: str, shape: tuple[int, ...]) -> Tensor | None:
        """Where the weight lies; None, and a problem noted, when it is not there in float32 and this shape."""
        tensor = self._tensors.get(name)
        if tensor is None:
            self.problems.append(f"has no tensor {name}")
        elif (tensor.dtype, tensor.shape) != ("F32", shape):
            self.problems.append(f"{name}: expected F32 of shape {shape}, found {tensor.dtype} of shape {tensor.shape}")
        else:
            return tensor
        return None

    def _constant(self, name: str, shape: tuple[int, ...], element_type: int, raw: bytes) -> str:
        if (initializer := self._new_initializer(name, shape, element_type)) is not None:
            initializer.raw_data = raw
        return name

    def _new_initializer(self, name: str, shape: tuple[int, ...], element_type: int) -> TensorProto | None:
        """A new initialiser, or None when one of that name is there already."""
        if name in self._known:
            return None
        self._known.add(name)
        initializer: TensorProto = self._graph.initializer.add(name=name, dims=shape, data_type=element_type)
        return initializer
