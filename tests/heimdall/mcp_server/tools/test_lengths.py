"""No answer is longer than its caller allows, whatever is stored."""

from __future__ import annotations

import pytest
from mcp import Client

from cognitive_memory.core.tokens import tokens
from tests.support.mcp_tools import call, cost, store, text_of

pytestmark = pytest.mark.anyio


FILLER = 'The weather was "fine", the sea was calm; nothing happened.\n' * 75


async def store_long(client: Client, number: int) -> None:
    """Store memories of 9 kB, each with a sentence of its own in the middle."""
    for each in range(number):
        text = f"{FILLER}\nShip {each} has a mast of oak.\n{FILLER}"
        await store(client, text, tags=["many"])


@pytest.mark.parametrize("most", [500, 1000, 4000])
async def test_an_answer_keeps_within_its_tokens(client: Client, most: int) -> None:
    await store_long(client, 12)
    seen: list[str] = []
    cursor = None
    while True:
        found = await call(
            client,
            "recall_memories",
            query="which mast is of oak",
            max_results=10,
            max_tokens=most,
            cursor=cursor,
        )
        assert max(cost(found)) <= most
        for record in found.structured_content["memories"]:
            assert "has a mast of oak" in record["text"], "an excerpt is around what was asked"
            assert record["truncated"] is True
        seen += [record["id"] for record in found.structured_content["memories"]]
        if (cursor := found.structured_content.get("next_cursor")) is None:
            break
    assert len(seen) == len(set(seen)) == 12
    default = await call(client, "recall_memories", query="which mast is of oak")
    assert len(default.structured_content["memories"]) == 10
    assert 2000 < max(cost(default)) <= 4000, "what there is room for is used"
    assert "of a text that is an excerpt, get_memory has all" in text_of(default).lower()


async def test_short_memories_are_whole_beside_long_ones(client: Client) -> None:
    await store_long(client, 3)
    await store(client, "A mast of oak lasts forty years.")
    found = await call(client, "recall_memories", query="mast of oak")
    (short,) = [r for r in found.structured_content["memories"] if "truncated" not in r]
    assert len(found.structured_content["memories"]) > 1
    assert short["text"] == "A mast of oak lasts forty years."


async def test_all_of_a_long_memory_is_read_page_by_page(client: Client) -> None:
    text = FILLER * 10 + "The end."
    memory_id = await store(client, text)
    parts: list[str] = []
    cursor = None
    while True:
        page = await call(client, "get_memory", memory_id=memory_id, cursor=cursor)
        assert max(cost(page)) <= 4000
        (record,) = page.structured_content["memories"]
        parts.append(record["text"])
        if (cursor := page.structured_content.get("next_cursor")) is None:
            break
        assert f"cursor '{cursor}'" in text_of(page)
    assert len(parts) > 3
    assert "".join(parts) == text
    whole = await client.read_resource(f"heimdall://memory/{memory_id}")
    assert "The end." in whole.contents[0].text  # type: ignore[union-attr]
    for wrong in ("x", "0", "-1", str(10**9)):
        assert (await call(client, "get_memory", memory_id=memory_id, cursor=wrong)).is_error


async def test_lists_and_resources_are_bounded_too(client: Client) -> None:
    await store_long(client, 60)
    listed = await call(client, "list_memories", max_results=50)
    preview = await call(client, "delete_memories_by_tags", tags=["many"], dry_run=True)
    assert preview.structured_content["count"] == 60
    assert "more" in text_of(preview)
    for answer in (listed, preview):
        assert max(cost(answer)) <= 4000
    page = await client.read_resource("heimdall://memories/recent")
    assert tokens(page.contents[0].text) <= 4000  # type: ignore[union-attr]


async def test_labels_alone_do_not_make_an_answer_long(client: Client) -> None:
    for number in range(5):
        tags = [f"{each} {'label ' * 30}" for each in range(100)]
        await store(client, f"Labelled {number}", tags=tags, source_info="s" * 2000)
    found = await call(client, "recall_memories", query="labelled", max_tokens=2000)
    assert found.structured_content["memories"]
    assert max(cost(found)) <= 2000


async def test_the_structured_content_is_as_small_as_the_text(client: Client) -> None:
    for number in range(10):
        text = (
            f"Decision {number}: the parser is written by hand, since the generated one was too "
            "slow for files of more than a megabyte and its messages helped nobody."
        )
        await store(client, text, tags=["parser", "decision"], memory_type="context")
    found = await call(client, "recall_memories", query="parser")
    written, structured = cost(found)
    # o200k_base counts 1.02 to 1.06 times the text's; the estimate knows no "," as one token.
    assert structured <= 1.2 * written
    stored = await call(client, "store_memory", text="The quay is long")
    assert set(stored.structured_content) <= {"memory", "notes"}
    assert max(cost(stored)) <= 80, "an id is a third of that"
