#!/usr/bin/env python3
"""Fills a folder with the built files of Label Studio's editor, in which the dashboard of a backend
shows predictions as annotators see them (DASHBOARD_EDITOR names the folder).

The files come out of Label Studio's Python package: from an installed one, from a wheel, or from a
wheel that pip downloads. A manifest says how the editor is started, because the numbers of its
chunks change with every release.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

VERSION = "1.23.2"
BUILT = "web/dist/apps/labelstudio/"
FONTS = "label_studio/core/static/fonts/"
RUNTIME = "runtime.js"
# In this order; main.js starts after vendor.js.
SCRIPTS = ["vendor.js", "main.js"]
STYLES = ["main.css"]
LICENSES = ["3rdpartylicenses.txt"]
QUEUE = re.compile(r"self\.(webpackChunk\w+)=")
LOADS = re.compile(r"Promise\.all\(\[((?:\w+\.e\(\d+\),?)+)\]\)\.then\(\w+\.bind\(\w+,(\d+)\)\)")
# Label Studio serves its fonts at a path of its own.
FONT = re.compile(rb"url\(/static/fonts/([\w.-]+)\)")
ALSO_LOADS = re.compile(r"\b\w+\.e\((\d+)\)")


class Package:
    """The files of Label Studio's Python package, installed or as a wheel."""

    def __init__(self, path: Path) -> None:
        """Opens a folder of installed packages, or a wheel."""
        self._wheel = zipfile.ZipFile(path) if path.is_file() else None
        self._folder = path

    def read(self, name: str, within: str = BUILT) -> bytes:
        """The content of a built file, or of one in another folder of the package."""
        if self._wheel is not None:
            return self._wheel.read(within + name)
        return (self._folder / within / name).read_bytes()

    def has(self, name: str) -> bool:
        """Whether there is such a built file."""
        if self._wheel is not None:
            return BUILT + name in self._wheel.namelist()
        return (self._folder / BUILT / name).is_file()

    def text(self, name: str) -> str:
        """The content of a built script."""
        return self.read(name).decode("utf-8")


def main() -> None:
    """Reads the command line and fills the folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--package",
        type=Path,
        help="a wheel of label-studio, or the site-packages folder that it is installed in; "
        f"default: version {VERSION} is downloaded",
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = args.package or download(Path(temporary))
        fill(args.folder, Package(path))
    print(f"the editor is in {args.folder}; start the backend with DASHBOARD_EDITOR={args.folder}")


def download(folder: Path) -> Path:
    """The wheel of Label Studio, without what it depends on."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ]
    subprocess.run([*command, "--dest", str(folder), f"label-studio=={VERSION}"], check=True)
    return next(folder.glob("label_studio-*.whl"))


def fill(folder: Path, package: Package) -> None:
    """Writes the editor's files, each also compressed, and the manifest last."""
    manifest, names = describe(package)
    files = {name: package.read(name) for name in names}
    for name in filter(lambda name: name.endswith(".css"), names):
        for font in FONT.findall(files[name]):
            files[font.decode()] = package.read(font.decode(), FONTS)
        files[name] = FONT.sub(rb"url(\1)", files[name])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    for name in LICENSES:
        if package.has(name):
            (folder / name).write_bytes(package.read(name))
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def describe(package: Package) -> tuple[dict[str, Any], list[str]]:
    """How the editor is started, and the files that it needs."""
    chunks, module = editor_module(package)
    queue = QUEUE.search(package.text(RUNTIME))
    if queue is None:
        raise SystemExit(f"{RUNTIME} names no queue of chunks")
    # Chunks that the editor's own chunks load when they are needed.
    texts = [chunk_text(package, chunk) for chunk in chunks]
    later = {number for text in texts for number in ALSO_LOADS.findall(text)}
    numbers = [*map(str, chunks), *sorted(later - set(map(str, chunks)))]
    files = [f"{number}.{kind}" for number in numbers for kind in ("js", "css")]
    manifest = {
        "runtime": RUNTIME,
        "styles": STYLES,
        "scripts": SCRIPTS,
        "queue": queue[1],
        "chunks": chunks,
        "module": module,
    }
    return manifest, [RUNTIME, *SCRIPTS, *STYLES, *filter(package.has, files)]


def editor_module(package: Package) -> tuple[list[int], int]:
    """The chunks to load, and the module that then has the class `LabelStudio`."""
    for loads in LOADS.finditer(package.text("main.js")):
        chunks = [int(number) for number in re.findall(r"\((\d+)\)", loads[1])]
        module = int(loads[2])
        # Modules begin with the names that they export.
        begins = re.compile(rf"\b{module}:\([^)]*\)=>\{{.{{0,80}}\{{LabelStudio:")
        if any(begins.search(chunk_text(package, chunk)) for chunk in chunks):
            return chunks, module
    raise SystemExit("this release has no module with the class LabelStudio; update the script")


def chunk_text(package: Package, number: int) -> str:
    """A chunk's script; one that came with another script has no file."""
    name = f"{number}.js"
    return package.text(name) if package.has(name) else ""


if __name__ == "__main__":
    main()
