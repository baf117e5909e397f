"""Fetches the libraries of the pages from npm into rollup/web/static/vendor, as files with their hashes.

    python tools/vendor.py

Each package is fetched at its exact version, held to npm's own sha512, and one file of it is copied next to its
licence. Bare names in imports become relative files, so that a browser needs no import map. vendor.json is the
manifest. Needs npm; the project does not need it otherwise.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "rollup" / "web" / "static" / "vendor"
_SOURCE_MAP = re.compile(r"\s*//# sourceMappingURL=.*\s*$")


@dataclass(frozen=True)
class Source:
    """A file of a package: what it is called here, and what is appended to make it a module."""

    package: str
    version: str
    path: str
    name: str
    licence: str
    appended: str = ""


SOURCES = (
    Source("preact", "11.2.0", "dist/preact.mjs", "preact.js", "MIT"),
    Source("preact", "11.2.0", "hooks/dist/hooks.mjs", "preact-hooks.js", "MIT"),
    Source("htm", "3.1.1", "dist/htm.module.js", "htm.js", "Apache-2.0"),
    Source("@preact/signals-core", "1.14.5", "dist/signals-core.mjs", "signals-core.js", "MIT"),
    Source("@preact/signals", "2.11.4", "dist/signals.mjs", "signals.js", "MIT"),
    Source("uplot", "1.6.32", "dist/uPlot.iife.min.js", "uplot.js", "MIT", "\nexport default uPlot;\n"),
    Source("uplot", "1.6.32", "dist/uPlot.min.css", "uplot.css", "MIT"),
)
_MODULES = {
    "preact": "preact.js",
    "preact/hooks": "preact-hooks.js",
    "@preact/signals-core": "signals-core.js",
}


def vendored(source: Source, text: str) -> str:
    """The file as it stands here: relative imports, no source map."""
    text = _SOURCE_MAP.sub("\n", text)
    return re.sub(r'from"([^"]+)"', lambda found: f'from"./{_MODULES[found[1]]}"', text) + source.appended


def fetch(package: str, version: str, folder: Path) -> tuple[Path, str]:
    """The unpacked package and its integrity. Exits where npm's archive is not what npm says it is."""
    packed = subprocess.run(
        ["npm", "pack", f"{package}@{version}", "--json"], cwd=folder, check=True, capture_output=True, text=True
    )
    (found,) = json.loads(packed.stdout)
    archive = folder / found["filename"]
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != found["integrity"]:
        sys.exit(f"{package}@{version}: {digest} is not npm's {found['integrity']}")
    target = folder / archive.stem
    with tarfile.open(archive) as opened:
        opened.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 on
        opened.extractall(target)
    return target / "package", digest


def build(target: Path) -> list[dict[str, str]]:
    """Writes every file and the manifest into `target`; returns the manifest."""
    target.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        fetched = {
            (package, version): fetch(package, version, Path(folder))
            for package, version in dict.fromkeys((source.package, source.version) for source in SOURCES)
        }
        for source in SOURCES:
            unpacked, integrity = fetched[source.package, source.version]
            text = vendored(source, (unpacked / source.path).read_text())
            (target / source.name).write_text(text)
            licence = f"{source.package.replace('/', '-').lstrip('@')}.LICENSE.txt"
            (target / licence).write_text((unpacked / "LICENSE").read_text())
            rows.append(
                {
                    "file": source.name,
                    "package": source.package,
                    "version": source.version,
                    "path": source.path,
                    "npmIntegrity": integrity,
                    "sha256": hashlib.sha256(text.encode()).hexdigest(),
                    "licence": source.licence,
                    "licenceFile": licence,
                }
            )
    (target / "vendor.json").write_text(json.dumps(rows, indent=2) + "\n")
    return rows


if __name__ == "__main__":
    for row in build(FOLDER):
        print(row["file"], row["package"], row["version"], row["sha256"][:16])
