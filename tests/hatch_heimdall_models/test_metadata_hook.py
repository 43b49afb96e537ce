"""The releases of the models among a project's URLs."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.hook_project import MANIFEST, MODEL, PINNED, HookProject

URLS = '[tool.hatch.metadata.hooks.heimdall-models.urls]\nHomepage = "https://example.org"\n'


def _project_urls(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("sample-1.0.dist-info/METADATA").decode()
    return [
        line.removeprefix("Project-URL: ")
        for line in text.splitlines()
        if line.startswith("Project-URL: ")
    ]


def test_the_release_is_among_the_urls(sample: HookProject) -> None:
    sample.configure(project='dynamic = ["urls"]', sdist=URLS)
    expected = [
        "Homepage, https://example.org",
        "Models, https://github.com/me/sample/releases/tag/v0.1.0",
    ]
    assert _project_urls(sample.build("wheel")) == expected
    (sample.root / "models.lock.json").rename(sample.root / "src/sample/manifest.json")
    assert _project_urls(sample.build("wheel")) == expected


def test_each_release_has_a_url(sample: HookProject) -> None:
    other = replace(MODEL, variant="small", asset=replace(PINNED, tag="v0.2.0"))
    lock = replace(MANIFEST, models=(*MANIFEST.models, other))
    (sample.root / "models.lock.json").write_text(lock.dumps())
    sample.configure(
        project='dynamic = ["urls"]', sdist="[tool.hatch.metadata.hooks.heimdall-models]"
    )
    assert _project_urls(sample.build("wheel")) == [
        f"Models {tag}, https://github.com/me/sample/releases/tag/{tag}"
        for tag in ("v0.1.0", "v0.2.0")
    ]


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        (
            URLS.replace('"https://example.org"', "3"),
            "tool.hatch.metadata.hooks.heimdall-models.urls: expected a table",
        ),
        (URLS, "models.lock.json: is not JSON"),
    ],
)
def test_urls_that_can_not_be_made_are_explained(
    sample: HookProject, urls: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (sample.root / "models.lock.json").write_text("{")
    sample.configure(project='dynamic = ["urls"]', sdist=urls)
    with pytest.raises(SystemExit):
        sample.build("wheel")
    assert message in capsys.readouterr().err
