"""Which file of a Python package imports what of which.

Read are all import statements, those inside functions and for type checkers included. A name is
followed through re-exports to the file that defines it. Left out is the import of a name that the
file does not use: it is a re-export.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from .graph import Graph, Place


@dataclass
class Import:
    """An imported name: `from module import item` or, without an item, `import module`."""

    module: str
    item: str | None
    name: str
    line: int


@dataclass
class File:
    """A module of the package, with the names it defines, imports and uses."""

    path: Path
    imports: list[Import]
    used: set[str]


def add_package(graph: Graph, folder: Path) -> None:
    """Adds the files of the package in a folder to the graph."""
    files = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        files[name] = _read(path, name if is_package else name.rpartition(".")[0])
    for file in files.values():
        for imported in file.imports:
            if imported.name == "*" or imported.name in file.used:
                target = _target(files, imported, set())
                if target:
                    text = (
                        f"{imported.module}.{imported.item}" if imported.item else imported.module
                    )
                    graph.add(file.path, target, Place(imported.line, text))


def _target(files: dict[str, File], imported: Import, seen: set[str]) -> Path | None:
    """Returns the file that an import comes from in the end."""
    whole = f"{imported.module}.{imported.item}"
    if imported.item and whole in files:
        return files[whole].path
    file = files.get(imported.module)
    if file is None or imported.item is None:
        # `import package.module` binds the package, and what follows may be an attribute of the
        # module.
        return file.path if file else None
    if whole not in seen:
        seen.add(whole)
        for other in file.imports:
            if other.name == imported.item and other.item:
                return _target(files, other, seen) or file.path
    return file.path


def _read(path: Path, package: str) -> File:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    imports = []
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                imports.append(Import(alias.name, None, name, node.lineno))
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            imports.extend(
                Import(module, alias.name, alias.asname or alias.name, node.lineno)
                for alias in node.names
            )
        elif isinstance(node, ast.Name):
            used.add(node.id)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.isidentifier()
        ):
            used.add(node.value)  # a type in quotes; an entry of __all__ is taken out below
    exported = _exported(tree)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return File(path, imports, used - (exported - names))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def _exported(tree: ast.Module) -> set[str]:
    """Returns the names in `__all__`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            constants = [part for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            return {part.value for part in constants if isinstance(part.value, str)}
    return set()
