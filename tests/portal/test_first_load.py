"""What a browser fetches for its first look at the overview, compressed as it is served."""

import re
from urllib.parse import urljoin, urlsplit

import pytest

MOST_BYTES = 600_000
TAGS = re.compile(r"<(?:link|script|img)\b[^>]*?\b(?:href|src)=\"([^\"]+)\"")
SPRITES = re.compile(r"<use href=\"([^\"#]+)#")
IMPORTS = re.compile(
    r"""^\s*import[^"'(;]*["']([^"']+)["'];|new URL\(["']([^"']+)["'], import\.meta\.url""",
    re.MULTILINE,
)
PICTURE = re.compile(r"data-network=\"([^\"]+)\"")
OWN = re.compile(r"/static/js/")


def fetched(client, path, encodings):
    """Return what the server sends for a path: how many bytes, how encoded, and the text."""
    answer = client.get(path, headers={"Accept-Encoding": encodings})
    assert answer.status_code == 200, path
    sent = b"".join(answer)
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    return len(sent), answer.get("Content-Encoding", ""), b"".join(plain).decode()


def first_load(client, encodings):
    """Return the bytes of the overview and of all that it names, by path."""
    size, encoding, page = fetched(client, "/", encodings)
    assert encoding == "gzip"
    sizes = {"/": size}
    (picture,) = PICTURE.findall(page)
    sizes[picture], encoding, _ = fetched(client, picture, encodings)
    assert encoding == "gzip"
    waiting = [*TAGS.findall(page), *SPRITES.findall(page)]
    while waiting:
        path = urlsplit(waiting.pop()).path
        if path in sizes or not path.startswith("/static/"):
            continue
        sizes[path], _, text = fetched(client, path, encodings)
        if OWN.match(path):
            waiting += [urljoin(path, a or b) for a, b in IMPORTS.findall(text)]
    return sizes


@pytest.fixture
def evening(city):
    city.crews()
    city.evening()
    return city


@pytest.mark.parametrize("encodings", ["gzip", "gzip, deflate, br"])
def test_the_first_load_stays_small(evening, as_role, encodings):
    """Browsers ask for Brotli by HTTPS and of localhost alone, so gzip has to do as well."""
    sizes = first_load(as_role("admin"), encodings)
    named = " ".join(sizes)
    for part in ("map.js", "maplibre-gl.mjs", "maplibre-gl-worker.mjs", "uPlot.esm.js"):
        assert part in named
    for part in ("tabler.min.css", "oms.css", "htmx.min.js", "icons.svg"):
        assert part in named
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_a_style_that_is_named_in_a_page_is_in_the_style_sheet(evening, as_role):
    client = as_role("admin")
    sheet = fetched(client, "/static/tabler/tabler.min.css", "gzip")[2]
    for name in ("btn-primary", "form-control", "form-select", "form-check-input"):
        assert f".{name}" in sheet
    assert ".carousel" not in sheet, "the sheet is pruned to what pages use"


def test_pages_come_compressed_and_whole(evening, as_role):
    client = as_role("operator")
    for path in ("/", "/outages", "/outages.csv", "/live/overview"):
        size, encoding, text = fetched(client, path, "gzip")
        assert (encoding, size < len(text.encode())) == ("gzip", True), path
