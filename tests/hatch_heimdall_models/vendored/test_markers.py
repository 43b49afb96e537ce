"""What is written into other packages says the same of a marker as `packaging` does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker, default_environment

from hatch_heimdall_models.vendored.markers import environment, holds

VARIABLES = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "platform_system": "Linux",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "implementation_version": "3.10.0",
    "python_version": "3.10",
    "python_full_version": "3.10.0",
}
_texts = ["os_name", "sys_platform", "platform_machine", "implementation_name"]
_values = ["posix", "linux", "x86_64", "arm64", "win32", "cpython", "linux x86_64"]
_versions = ["3", "3.8", "3.9", "3.10", "3.10.0", "3.11", "3.10.1", "3.11rc1"]
_quoted = st.sampled_from(_values).map(repr) | st.sampled_from(_values).map('"{}"'.format)
_of_texts = st.tuples(
    st.sampled_from(_texts), st.sampled_from(["==", "!=", "in", "not  in"]), _quoted
)
_of_versions = st.tuples(
    st.sampled_from(["python_version", "python_full_version"]),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    st.sampled_from(_versions).map(repr),
) | st.tuples(
    st.just("python_version"),
    st.sampled_from(["==", "!=", "~="]),
    st.sampled_from(["'3.10'", "'3.9'", "'3.8.0'"]),
)
_wild = st.tuples(
    st.just("python_full_version"),
    st.sampled_from(["==", "!="]),
    st.sampled_from(["'3.*'", "'3.10.*'", "'3.1.*'", "'3.10.0.*'"]),
)
_turned = _of_texts.map(lambda one: (one[2], one[1], one[0]))
_comparisons = (_of_texts | _turned | _of_versions | _wild).map(" ".join)
_markers = st.recursive(
    _comparisons,
    lambda inner: (
        st.builds("{} and {}".format, inner, inner)
        | st.builds("{} or {}".format, inner, inner)
        | st.builds("( {})".format, inner)
    ),
    max_leaves=6,
)


@given(_markers, st.sampled_from(["3.10.0", "3.11.0rc1", "3.9.18"]))
def test_a_marker_holds_where_packaging_says_so(marker: str, version: str) -> None:
    variables = {
        **VARIABLES,
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
    }
    assert holds(marker, variables) == Marker(marker).evaluate({**variables})


def test_this_machine_is_described_as_packaging_does() -> None:
    theirs = default_environment()
    assert environment() == {name: theirs[name] for name in environment()}  # type: ignore[literal-required]


def test_no_marker_holds_everywhere() -> None:
    assert holds(None)


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ("sys_platfrom == 'linux'", "has 'sys_platfrom', but only implementation_name, "),
        ("extra == 'gpu'", "has 'extra', but only"),
        ("platform_machine > 'a'", "orders platform_machine by '>', which only versions have"),
        ("python_version > 'new'", "has 'new' where a version such as '3.11' is expected"),
        ("python_version ~= '3'", "compares versions by '~=' '3'"),
        ("python_version === '3.9'", "compares versions by '==='"),
        ("os_name", "ends too early"),
        ("(os_name == 'nt'", "ends too early"),
        ("os_name == 'nt')", "has ')' where 'and', 'or' or the end is expected"),
        ("(os_name == 'nt' 'a'", "lacks a ')'"),
        ("'a' == 'b'", "compares 'a' with 'b', but one of both has to be a text"),
        ("os_name == nt", "compares os_name with nt"),
        ("os_name == 'nt", "can't be read from \" 'nt\" on"),
        ("(" * 100_000, ""),
        ("", "ends too early"),
    ],
)
def test_what_is_not_understood_is_an_error(marker: str, reason: str) -> None:
    with pytest.raises(ValueError, match="the marker") as caught:
        holds(marker, VARIABLES)
    assert reason in str(caught.value)
