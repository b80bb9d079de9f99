"""The modules of a Rust crate, and which file uses what of which.

Read are `use` declarations, also grouped, renamed, with `*` and inside functions, and paths in
code. A name is followed through re-exports to the file that defines it. Left out are `#[cfg(test)]`
items, and re-exports of what the file does not use itself: a table of contents does not depend on
its chapters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .graph import Graph, Place
from .rust_tokens import Token, tokens_of

_ITEMS = {"struct", "enum", "trait", "type", "fn", "const", "static", "union"}
_OPEN, _CLOSE = {"(", "[", "{"}, {")", "]", "}"}


@dataclass
class Use:
    """One name of a `use` declaration; `*` for all names of a module."""

    path: list[str]
    name: str
    line: int
    is_exported: bool


@dataclass
class Module:
    """A module with the names it defines, imports and mentions."""

    file: Path
    parent: Module | None = None
    # Where the files of its child modules are.
    folder: Path = Path()
    children: dict[str, Module] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)
    uses: list[Use] = field(default_factory=list)
    paths: list[tuple[list[str], int]] = field(default_factory=list)
    # Names in code that may come from a `*` import, and where they first stand.
    mentions: dict[str, int] = field(default_factory=dict)

    def root(self) -> Module:
        """Returns the crate's root."""
        return self if self.parent is None else self.parent.root()

    def all(self) -> list[Module]:
        """Returns the module and all modules below it."""
        return [self, *(module for child in self.children.values() for module in child.all())]


def read_crate(root: Path) -> Module:
    """Reads a crate from its root file, such as `src/lib.rs`."""
    module = Module(file=root, folder=root.parent)
    _Reader(module, tokens_of(root.read_text(encoding="utf-8"))).read()
    return module


def add_crate(graph: Graph, root: Module) -> None:
    """Adds the files of a crate to the graph."""
    for module in root.all():
        for use in module.uses:
            is_mentioned = use.name in module.mentions
            if use.name != "*" and (is_mentioned or not use.is_exported):
                _add(graph, module, use.path, use.line)
        for path, line in module.paths:
            _add(graph, module, path, line)
        known = module.items | module.children.keys() | {use.name for use in module.uses}
        for name, line in module.mentions.items():
            if name not in known:
                _add(graph, module, [name], line)


def _add(graph: Graph, module: Module, path: list[str], line: int) -> None:
    found = _resolve(module, path, set())
    # A path to a module itself uses nothing of it yet.
    if found and not found[1]:
        graph.add(module.file, found[0].file, Place(line, "::".join(path)))


Found = tuple[Module, bool]


def _resolve(module: Module, path: list[str], seen: set[tuple[int, str]]) -> Found | None:
    """Returns the module that defines what a path names, and whether the path names that module
    itself.
    """
    if path[0] == "crate":
        return _look_up(module.root(), path[1:], seen)
    return _look_up(module, path, seen)


def _look_up(module: Module, path: list[str], seen: set[tuple[int, str]]) -> Found | None:
    if not path:
        return module, True
    name, rest = path[0], path[1:]
    if name == "self":
        return _look_up(module, rest, seen)
    if name == "super":
        return _look_up(module.parent, rest, seen) if module.parent else None
    if name in module.children:
        return _look_up(module.children[name], rest, seen)
    if name in module.items:
        return module, False
    if (id(module), name) in seen:
        return None
    seen.add((id(module), name))
    for use in module.uses:
        if use.name in (name, "*") and use.path != [name]:
            found = _resolve(module, use.path, seen)
            if found and found[1]:
                found = _look_up(found[0], path if use.name == "*" else rest, seen)
            elif use.name == "*":
                found = None  # the variants of an enum
            if found:
                return found
    return None


class _Reader:
    """Reads the tokens of one file into its modules."""

    def __init__(self, module: Module, tokens: list[Token]) -> None:
        self.module = module
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.path_attribute: str | None = None
        # Depth at which each inline module around the place ends.
        self.inline: list[int] = []

    def read(self) -> None:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "name":
                self._name(token)
            elif token.kind == "mark":
                self._mark(token)
            else:
                self.at += 1

    def _text(self, offset: int) -> str:
        """Returns the token at an offset from here; a literal counts as none."""
        idx = self.at + offset
        if 0 <= idx < len(self.tokens) and self.tokens[idx].kind in ("name", "mark"):
            return self.tokens[idx].text
        return ""

    def _mark(self, token: Token) -> None:
        if token.text == "#" and self._text(1) == "[":
            self._attribute()
            return
        if token.text in _OPEN:
            self.depth += 1
        elif token.text in _CLOSE:
            self.depth -= 1
            if self.inline and self.inline[-1] == self.depth:
                self.inline.pop()
                assert self.module.parent is not None, "an inline module has a parent"
                self.module = self.module.parent
        self.at += 1

    def _is_at_top(self) -> bool:
        return self.depth == (self.inline[-1] + 1 if self.inline else 0)

    def _attribute(self) -> None:
        if [self._text(offset) for offset in range(2, 6)] == [
            "cfg",
            "(",
            "test",
            ")",
        ] and self._is_at_top():
            self._skip_item()
        elif self._text(2) == "path" and self.tokens[self.at + 4].kind == "string":
            self.path_attribute = self.tokens[self.at + 4].text
            self.at += 6
        else:
            self.at += 1  # what stands in it is code like any other

    def _skip_item(self) -> None:
        """Goes behind an item and its attributes: to the first `;` or the end of its braces."""
        depth = 0
        is_use = False
        while self.at < len(self.tokens):
            text = self._text(0)
            self.at += 1
            is_use |= text == "use"
            depth += (text in _OPEN) - (text in _CLOSE)
            if depth == 0 and (text == ";" or (text == "}" and not is_use)):
                return

    def _name(self, token: Token) -> None:
        before = self._text(-1)
        if token.text == "use" and self._text(1) != "<":
            self._use()
        elif token.text == "mod" and self._text(2) in (";", "{"):
            self._module()
        elif token.text in _ITEMS and self._is_at_top() and self.tokens[self.at + 1].kind == "name":
            offset = 2 if self._text(1) in ("mut", "fn", "unsafe", "async", "extern") else 1
            if token.text in ("static", "const") and offset == 2 and self._text(1) != "mut":
                self.at += 1  # `const fn`: the next word says what it is
                return
            self.module.items.add(self._text(offset))
            self.at += offset + 1
        elif token.text == "macro_rules":
            self.module.items.add(self._text(2))
            self.at += 3
        elif before in (".", "::"):
            self.at += 1
        else:
            self._path()

    def _path(self) -> None:
        line = self.tokens[self.at].line
        is_visibility = self._text(-1) == "in" and self._text(-2) == "("
        path = [self._text(0)]
        self.at += 1
        while self._text(0) == "::" and self.tokens[self.at + 1].kind == "name":
            path.append(self._text(1))
            self.at += 2
        if is_visibility:
            return
        if len(path) > 1:
            self.module.paths.append((path, line))
        if len(path) > 1 or path[0][0].isupper() or self._text(0) in ("(", "!"):
            self.module.mentions.setdefault(path[0], line)

    def _module(self) -> None:
        name, mark = self._text(1), self._text(2)
        folder = self.module.folder
        if mark == "{":
            child = Module(self.module.file, self.module, folder / name)
            self.module.children[name] = child
            self.module = child
            self.inline.append(self.depth)
            self.depth += 1
        else:
            self._module_of_file(name)
        self.path_attribute = None
        self.at += 3

    def _module_of_file(self, name: str) -> None:
        if self.path_attribute:
            file = (self.module.file.parent / self.path_attribute).resolve()
            folder = file.parent
        else:
            file, folder = self.module.folder / f"{name}.rs", self.module.folder / name
            if not file.exists():
                file = folder / "mod.rs"
        if file.exists():
            child = Module(file, self.module, folder)
            self.module.children[name] = child
            _Reader(child, tokens_of(file.read_text(encoding="utf-8"))).read()

    def _use(self) -> None:
        is_exported = self._text(-1) in ("pub", ")")
        line = self.tokens[self.at].line
        self.at += 1
        if self._text(0) != "::":
            for path, name in self._use_tree([]):
                self.module.uses.append(Use(path, name, line, is_exported))
        while self._text(0) != ";":
            self.at += 1

    def _use_tree(self, before: list[str]) -> list[tuple[list[str], str]]:
        path = list(before)
        while True:
            text = self._text(0)
            self.at += 1
            if text == "{":
                return self._use_group(path)
            if text == "*":
                return [(path, "*")]
            if text != "self" or not path:
                path.append(text)
            if self._text(0) == "::":
                self.at += 1
                continue
            if self._text(0) == "as":
                name = self._text(1)
                self.at += 2
                return [(path, name)]
            return [(path, path[-1])]

    def _use_group(self, path: list[str]) -> list[tuple[list[str], str]]:
        names = []
        while self._text(0) != "}":
            names.extend(self._use_tree(path))
            if self._text(0) == ",":
                self.at += 1
        self.at += 1
        return names
