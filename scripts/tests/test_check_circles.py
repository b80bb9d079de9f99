"""Plants circles in small crates and packages, and looks whether they are found, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "check_circles.py"
CRATE = "crates/shop"
PACKAGE = "crates/shop/python/shop"


def check(files: dict[str, str]) -> tuple[int, str]:
    """Runs the check in a repository with these files, and returns its exit code and output."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {f"{CRATE}/Cargo.toml": "", **files}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, SCRIPT, folder], capture_output=True, text=True, check=False
        )
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout


def crate(**files: str) -> dict[str, str]:
    """Returns the files of a crate; `__` in a name is a folder."""
    names = {name: name.replace("__", "/") for name in files}
    declared = "".join(
        f"mod {name.partition('__')[0]};\n"
        for name in sorted(files)
        if name != "lib" and "__" not in name
    )
    lib = {f"{CRATE}/src/lib.rs": declared + files.get("lib", "")}
    return lib | {
        f"{CRATE}/src/{names[name]}.rs": text for name, text in files.items() if name != "lib"
    }


def package(**files: str) -> dict[str, str]:
    """Returns the files of a package."""
    return {
        f"{PACKAGE}/__init__.py": "",
        **{f"{PACKAGE}/{name}.py": text for name, text in files.items()},
    }


class RustCircles(unittest.TestCase):
    """Circles between the files of a crate."""

    def assert_circle(self, files: dict[str, str], *members: str) -> str:
        code, output = check(files)
        self.assertEqual(code, 1, output)
        names = ", ".join(f"src/{member}.rs" for member in members)
        self.assertIn(f"{CRATE}: circle of {len(members)} files: {names}\n", output)
        return output

    def assert_none(self, files: dict[str, str]) -> None:
        self.assertEqual(check(files), (0, ""))

    def test_two_files_that_import_each_other(self) -> None:
        output = self.assert_circle(
            crate(
                till="//! Takes money.\nuse crate::stock::Stock;\npub struct Till(Stock);",
                stock="pub struct Stock;\nimpl Stock { fn sell(self) -> crate::till::Till { todo!() } }",
            ),
            "stock",
            "till",
        )
        self.assertIn("src/till.rs:2: crate::stock::Stock is in src/stock.rs\n", output)
        self.assertIn("src/stock.rs:2: crate::till::Till is in src/till.rs\n", output)

    def test_three_files_in_a_row(self) -> None:
        files = crate(
            a="use super::b::B; pub struct A(B);",
            b="use crate::{c::{self, C}}; pub struct B(C); fn f() { c::run() }",
            c="pub struct C; pub fn run() { super::a::A; }",
        )
        self.assert_circle(files, "a", "b", "c")

    def test_a_parent_and_its_child(self) -> None:
        files = crate(
            till="mod drawer; use drawer::Drawer; pub struct Till(Drawer); pub struct Coin;",
            till__drawer="use super::Coin; pub struct Drawer(Coin);",
        )
        self.assert_circle(files, "till/drawer", "till")

    def test_through_a_re_export(self) -> None:
        files = crate(
            lib="pub use till::{Till as Desk};\nuse stock::*;",
            till="use crate::stock::Stock; pub struct Till(Stock);",
            stock="pub struct Stock; impl Stock { fn at(&self) -> crate::Desk { loop {} } }",
        )
        self.assert_circle(files, "stock", "till")

    def test_through_star_imports(self) -> None:
        files = crate(
            a="use crate::b::*; pub struct A(B);",
            b="use super::a; pub struct B; pub fn new() -> a::A { a::A(B) }",
        )
        self.assert_circle(files, "a", "b")

    def test_through_an_import_inside_a_function(self) -> None:
        files = crate(
            a="pub fn a() { use crate::b::b; b() }",
            b="pub(crate) fn b() { crate::a::a() }",
        )
        self.assert_circle(files, "a", "b")

    def test_through_a_macro_and_an_inline_module(self) -> None:
        files = crate(
            a="pub mod deep { pub fn f() {} } macro_rules! m { () => { $crate::b::B } }",
            b="use crate::a::deep; pub struct B; fn g() { deep::f() }",
        )
        self.assert_circle(files, "a", "b")

    def test_a_table_of_contents_is_no_circle(self) -> None:
        self.assert_none(
            crate(
                lib="pub use shop::{Shop, door::Door}; pub use shop::*;",
                shop="mod door; pub(crate) use door::Door; pub struct Shop;",
                shop__door="use super::Shop; use crate::Shop as Same; pub struct Door(Shop, Same);",
            )
        )

    def test_what_is_no_code_is_no_circle(self) -> None:
        strings = r"""
            const A: &str = "crate::b::B"; const B: &str = r#"use " crate::b::B;"#; const C: char = '"';
            const D: &[u8] = b"crate::b::B\" "; fn f<'a>(x: &'a str) -> char { '\'' }
        """
        for text in [
            "// use crate::b::B;\n",
            "/* /* nested */ use crate::b::B; */",
            "/// See [`crate::b::B`].\nstruct X;",
            strings,
            "#[cfg(test)] mod tests { use crate::b::B; #[test] fn t() { crate::b::B; } }",
            "#[cfg(test)] use crate::{b::B}; fn b() {}",
            "pub(in crate::b) struct Y; fn f(x: X) { x.B(); x.b::<u8>() }",
            "use other::b::B; use ::b::B as C; struct Z(B, C);",
        ]:
            with self.subTest(text):
                self.assert_none(
                    crate(a=f"pub struct A; {text}", b="use crate::a::A; pub struct B(A);")
                )

    def test_code_after_a_test_module_is_read(self) -> None:
        files = crate(
            a="#[cfg(test)] mod tests { fn f() {} }\n#[cfg(test)] const N: [u8; 2] = [1; 2];\nfn g() { crate::b::b() } pub fn a() {}",
            b="pub fn b() { crate::a::a() }",
        )
        self.assert_circle(files, "a", "b")

    def test_a_module_elsewhere(self) -> None:
        files = crate(
            b="use crate::odd::A; pub struct B(A);", lib='#[path = "a/odd_name.rs"] mod odd;'
        )
        files[f"{CRATE}/src/a/odd_name.rs"] = "pub struct A; fn f() { crate::b::B; }"
        self.assert_circle(files, "a/odd_name", "b")

    def test_modules_of_tests(self) -> None:
        files = crate()
        files[f"{CRATE}/tests/shop.rs"] = "mod mock; const N: u8 = 1; fn f() { mock::start() }"
        files[f"{CRATE}/tests/mock/mod.rs"] = "pub fn start() { let _ = super::N; }"
        code, output = check(files)
        self.assertEqual(code, 1)
        self.assertIn("tests/shop.rs:1: mock::start is in tests/mock/mod.rs\n", output)


class PythonCircles(unittest.TestCase):
    """Circles between the files of a package."""

    def assert_circle(self, files: dict[str, str]) -> None:
        code, output = check(files)
        self.assertEqual(code, 1, output)
        self.assertIn(f"{PACKAGE}: circle of 2 files: a.py, b.py\n", output)

    def test_two_files_that_import_each_other(self) -> None:
        for text in [
            "from shop.a import A\nA()",
            "from .a import A\nA()",
            "from . import a\na.A()",
            "def f():\n    import shop.a\n    return shop.a.A()",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.a import A\ndef f() -> 'A': ...",
            "from shop.a import *",
        ]:
            with self.subTest(text):
                self.assert_circle(
                    package(a="from .b import f\nclass A: x = f", b=f"{text}\ndef f(): ...")
                )

    def test_through_a_re_export(self) -> None:
        files = package(
            a="from .b import f\nclass A: x = f", b="from shop import A\ndef f(): return A()"
        )
        files[f"{PACKAGE}/__init__.py"] = "from shop.a import A\n__all__ = ['A']\n"
        self.assert_circle(files)

    def test_a_table_of_contents_is_no_circle(self) -> None:
        files = package(a="from .b import f\nclass A: x = f", b="def f(): return '.a'")
        files[f"{PACKAGE}/__init__.py"] = "from .a import A\nfrom .b import f\nVERSION = '1'\n"
        files[f"{PACKAGE}/c.py"] = "from shop import VERSION, A\nprint(VERSION, A)"
        self.assertEqual(check(files), (0, ""))


if __name__ == "__main__":
    unittest.main()
