"""The API reference as a browser draws it."""

import httpx

from tests.browser.conftest import picture
from tests.browser.visitor import Visitor

REFUSED_PICTURE = "https://cdn.redoc.ly/"
"""Redoc asks for its maker's mark elsewhere; our policy refuses it, and the page hides its place."""


def test_the_reference_shows_every_operation_and_nothing_comes_from_elsewhere(visitor: Visitor) -> None:
    page = visitor.page
    came: list[str] = []
    page.on("response", lambda response: came.append(response.url))
    page.goto("/api-docs")
    page.wait_for_selector("h2")
    document = httpx.get(f"{visitor.site}/openapi.json").raise_for_status().json()
    summaries = [operation["summary"] for path in document["paths"].values() for operation in path.values()]
    headings = page.locator("h2").all_inner_texts()
    assert [summary for summary in summaries if not any(summary in heading for heading in headings)] == []
    picture(visitor, "api-docs", whole=False)
    assert [url for url in came if not url.startswith((visitor.site, "data:", "blob:"))] == []
    assert [complaint for complaint in visitor.complaints if REFUSED_PICTURE not in complaint] == []
    visitor.complaints.clear()
