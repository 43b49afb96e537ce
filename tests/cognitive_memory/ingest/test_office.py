from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from docx import Document
from pypdf import PdfWriter

from cognitive_memory.ingest import office
from cognitive_memory.ingest.documents import read_document
from cognitive_memory.ingest.errors import UnreadableError
from cognitive_memory.ingest.folders import load_paths
from cognitive_memory.project_memory import ProjectMemory

LONG = "So many words are enough for a piece of its own. " * 6


def _word() -> bytes:
    document = Document()
    document.add_heading("Guide", 0)
    document.add_paragraph(LONG)
    document.add_heading("Install", 1)
    document.add_paragraph(LONG)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page, written by hand."""
    streams = [f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode() for text in pages]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, stream in enumerate(streams):
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        len(body),
    )
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def test_word_documents_by_their_headings() -> None:
    document = read_document("a.docx", _word())
    assert document is not None
    assert [(memory.context, memory.text.split("\n")[0]) for memory in document.memories] == [
        ("a.docx", "# Guide"),
        ("a.docx > Guide", "# Install"),
    ]
    assert document.memories[1].text.endswith("left | right")
    assert document.memories[0].metadata == {"kind": "docx"}


def test_pages_of_pdf() -> None:
    document = read_document("a.pdf", _pdf("The first page.", "The second page."))
    assert document is not None
    assert [memory.text for memory in document.memories] == ["The first page.\n\nThe second page."]


@pytest.mark.parametrize("name", ["a.docx", "a.pdf"])
@pytest.mark.parametrize(
    "content", [b"", b"no document", b"PK\x05\x06" + b"\0" * 18, b"%PDF-1.4\n"]
)
def test_what_is_broken_is_unreadable_and_never_text(name: str, content: bytes) -> None:
    with pytest.raises(UnreadableError, match=f"{name} could not be read: "):
        read_document(name, content)


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked() -> None:
    stream = BytesIO(_word())
    with ZipFile(stream, "a", ZIP_DEFLATED) as archive:
        archive.writestr("word/bomb.xml", b"\0" * (office._LARGEST + 1))
    with pytest.raises(UnreadableError, match="it unpacks to more than 20,000,000 bytes"):
        read_document("a.docx", stream.getvalue())


def test_pages_without_an_end_are_not_read() -> None:
    writer = PdfWriter()
    for _ in range(office._MOST_PAGES + 1):
        writer.add_blank_page(10, 10)
    stream = BytesIO()
    writer.write(stream)
    with pytest.raises(UnreadableError, match="it has more than 2,000 pages"):
        read_document("a.pdf", stream.getvalue())


def test_without_the_libraries_it_is_said_how_to_get_them(
    project: Path, memory: ProjectMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "find_spec", lambda _: None)
    (project / "a.pdf").write_bytes(_pdf("text"))
    report = load_paths(memory, [project], project)
    assert report.loaded == []
    assert report.notes == [
        "pdf files were left out: pip install 'heimdall-mcp[documents]' to read them"
    ]
    with pytest.raises(UnreadableError, match=r"pip install 'heimdall-mcp\[documents\]'"):
        read_document("a.pdf", b"")
