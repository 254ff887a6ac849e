"""Links of the README and the pages to files, and to headings in them, lead somewhere."""

import pytest

from tests.docs.pages import PAGES, ROOT, SITE, anchors, links, page_name


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_local_links_lead_to_files_and_headings(path):
    broken = []
    root = SITE if path.is_relative_to(SITE) else ROOT  # the site holds nothing but its pages
    for link in links(path.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.is_relative_to(root) or not target.exists():
            broken.append(f"{link}: no such file in {root.name}/")
        elif anchor and anchor not in anchors(target.read_text()):
            broken.append(f"{link}: no such heading")
    assert broken == []


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = [path.relative_to(SITE).as_posix() for path in PAGES if path.is_relative_to(SITE)]
    assert [page for page in pages if f": {page}\n" not in navigation] == []
