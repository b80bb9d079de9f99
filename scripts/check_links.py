"""Checks that the links, anchors and paths in code spans of the pages in Markdown exist."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
# Pages that are written into other folders, where their links hold.
ELSEWHERE = re.compile(r"crates/label-studio-ml-cli/(python_)?template/")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Folders whose files are named in code spans by their path from the root.
FOLDERS = r"\.github|crates|demo|deploy|docs|e2e|examples|fuzz|scripts|vectors"
PATH = re.compile(rf"`((?:{FOLDERS})/[^`\s]*)`")
HEADING = re.compile(rf"#+ `((?:{FOLDERS})/[^`\s]*)`")
INNER_PATH = re.compile(r"`((?:src|python|tests|fixtures|template)/[^`\s]*)`")


def main() -> int:
    """Prints each link and each path that leads nowhere."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    names = [name for name in listed.stdout.splitlines() if not ELSEWHERE.match(name)]
    pages = [ROOT / name for name in names if (ROOT / name).is_file()]
    problems = [
        f"{page.relative_to(ROOT)}: {problem}"
        for page in pages
        for problem in [*broken_links(page), *broken_paths(page)]
    ]
    print("\n".join(problems) or f"links and paths of {len(pages)} pages exist")
    return 1 if problems else 0


def broken_links(page: Path) -> Iterator[str]:
    """Returns the links of a page to files and headings that do not exist."""
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in LINK.findall(re.sub(r"`[^`]*`", "", prose)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)) if name else page
        if target.is_dir() and anchor:
            target /= "README.md"
        if not target.exists():
            yield f"links to {link}, which does not exist"
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            yield f"links to {link}, where no heading is called so"


def broken_paths(page: Path) -> Iterator[str]:
    """Returns the paths in code spans that lead nowhere; `*` stands for any name.

    In the README of a crate, and under a heading that names a folder as in ARCHITECTURE.md, paths
    may start in that folder.
    """
    own = page.parent if page.parent != ROOT and (page.parent / "Cargo.toml").is_file() else None
    folder = own
    for line in page.read_text(encoding="utf-8").splitlines():
        heading = HEADING.match(line)
        if heading:
            folder = ROOT / heading[1]
        elif line.startswith("## "):
            folder = own
        spans = [(ROOT, path) for path in PATH.findall(line)]
        if folder:
            spans += [(folder, path) for path in INNER_PATH.findall(line)]
        for base, path in spans:
            if re.search(r"[<>{}…]|\.\.\.|NAME", path):
                continue
            if not any(base.glob(path.rstrip("/"))):
                yield f"names {path}, which does not exist"


def anchors(page: Path) -> set[str]:
    """Returns the anchors of a page's headings, as GitHub makes them."""
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


if __name__ == "__main__":
    sys.exit(main())
