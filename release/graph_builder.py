"""Writing an ONNX model over the weights of a safetensors file, byte for byte the same wherever it is written.

Only what is asked for enters the file: no library version, no date, no defaults of
`onnx.helper.make_model`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto
from onnx.helper import make_attribute, make_tensor_value_info

from release.recipe import WEIGHTS_NAME
from release.safetensors_header import Tensor, read_header

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

Attribute = float | Sequence[int] | TensorProto | GraphProto
"""The value of an operator's attribute."""
ValueType = tuple[int, Sequence[str | int]]
"""Element type and dimensions of an input or output; a name is a dimension that is free."""


class GraphBuilder:
    """Collects nodes and initialisers, and every weight that is not as expected.

    Values are named by strings, as in ONNX: each method returns the name of what it added. Weights
    are external data, parts of the weights file.

    Args:
        weights: a safetensors file, which will be called `WEIGHTS_NAME` in the model's own folder.

    Attributes:
        weights: this file.
        problems: a sentence for each weight that is missing or of another type or shape.
    """

    def __init__(self, weights: Path) -> None:
        self.weights = weights
        self.problems: list[str] = []
        self._tensors = read_header(weights)
        self._graph = GraphProto()
        self._scope = self._graph
        self._count = 0
        self._known: set[str] = set()

    def node(
        self,
        operator: str,
        *inputs: str,
        output: str = "",
        domain: str = "",
        **attributes: Attribute,
    ) -> str:
        """Add an operator of a domain, by default the standard's, and return the name of its one output."""
        self._count += 1
        name = output or self._name(operator)
        node = self._scope.node.add(op_type=operator, domain=domain, input=inputs, output=[name])
        # In a fixed order, since the order of the arguments would show in the bytes.
        node.attribute.extend(
            make_attribute(key, value) for key, value in sorted(attributes.items())
        )
        return name

    def either(self, condition: str, then: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """One of two float32 values; of the nodes that both calls add, only those of that one run.

        Args:
            condition: a boolean scalar.
            then: adds what is computed where it holds, and returns the value's name.
            otherwise: the same for where it does not.
        """
        return self.node(
            "If", condition, then_branch=self._branch(then), else_branch=self._branch(otherwise)
        )

    def _branch(self, make: Callable[[], str]) -> GraphProto:
        around, self._scope = self._scope, GraphProto(name="branch")
        try:
            value = make()
            self._scope.output.append(ValueInfoProto(name=value))
            self._scope.output[0].type.tensor_type.elem_type = FLOAT32
            return self._scope
        finally:
            self._scope = around

    def _name(self, operator: str) -> str:
        return f"{operator.lower()}_{self._count}"

    def _weight_name(self, name: str) -> str:
        return name

    def weight(self, name: str, *shape: int) -> str:
        """Use a float32 tensor of the weights file."""
        value = self._weight_name(name)
        tensor = self._checked(name, shape)
        if (
            tensor is not None
            and (initializer := self._new_initializer(value, shape, FLOAT32)) is not None
        ):
            initializer.data_location = TensorProto.EXTERNAL
            initializer.external_data.add(key="location", value=WEIGHTS_NAME)
            initializer.external_data.add(key="offset", value=str(tensor.offset))
            initializer.external_data.add(key="length", value=str(tensor.length))
        return value

    def numbers(self, name: str, values: Sequence[float]) -> str:
        """Use a vector of float32 under a name."""
        return self._constant(
            name, (len(values),), FLOAT32, struct.pack(f"<{len(values)}f", *values)
        )

    @staticmethod
    def one_of(element_type: int, raw: bytes) -> TensorProto:
        """A tensor with one element, for an attribute."""
        return TensorProto(dims=[1], data_type=element_type, raw_data=raw)

    def number(self, value: float) -> str:
        """Use a float32 scalar."""
        return self._constant(str(value), (), FLOAT32, struct.pack("<f", value))

    def truth(self, name: str, *, value: bool) -> str:
        """Use a boolean scalar under a name."""
        return self._constant(name, (), BOOL, bytes([value]))

    def integer(self, value: int) -> str:
        """Use an int64 scalar."""
        return self._constant(f"{value}i", (), INT64, struct.pack("<q", value))

    def integers(self, *values: int) -> str:
        """Use a vector of int64."""
        name = ",".join(str(value) for value in values)
        return self._constant(
            f"[{name}]", (len(values),), INT64, struct.pack(f"<{len(values)}q", *values)
        )

    def serialised(
        self, name: str, inputs: Mapping[str, ValueType], outputs: Mapping[str, ValueType]
    ) -> bytes:
        """The finished model, with a graph of that name."""
        self._graph.name = name
        for field, values in ((self._graph.input, inputs), (self._graph.output, outputs)):
            field.extend(
                make_tensor_value_info(key, kind, shape) for key, (kind, shape) in values.items()
            )
        model = ModelProto(ir_version=IR_VERSION, producer_name=PRODUCER, graph=self._graph)
        model.opset_import.add(domain="", version=OPSET)
        model.opset_import.add(domain=CONTRIBUTED, version=1)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised

    def _checked(self, name: str, shape: tuple[int, ...]) -> Tensor | None:
        """Where the weight lies.

        None, and a problem noted, when it is not there in float32 and this shape.
        """
        tensor = self._tensors.get(name)
        if tensor is None:
            self.problems.append(f"has no tensor {name}")
        elif (tensor.dtype, tensor.shape) != ("F32", shape):
            self.problems.append(
                f"{name}: expected F32 of shape {shape}, found {tensor.dtype} of shape {tensor.shape}"
            )
        else:
            return tensor
        return None

    def _constant(self, name: str, shape: tuple[int, ...], element_type: int, raw: bytes) -> str:
        if (initializer := self._new_initializer(name, shape, element_type)) is not None:
            initializer.raw_data = raw
        return name

    def _new_initializer(
        self, name: str, shape: tuple[int, ...], element_type: int
    ) -> TensorProto | None:
        """A new initialiser, or None when one of that name is there already."""
        if name in self._known:
            return None
        self._known.add(name)
        initializer: TensorProto = self._graph.initializer.add(
            name=name, dims=shape, data_type=element_type
        )
        return initializer
