"""Holds the dependencies to deny.toml where cargo-deny is not installed: licences, banned crates,
sources.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    import tomllib
except ImportError:  # before Python 3.11
    from pip._vendor import tomli as tomllib  # type: ignore[no-redef]

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Prints each crate that breaks a rule."""
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    command = [
        "cargo",
        "metadata",
        "--format-version",
        "1",
        "--all-features",
        "--manifest-path",
        str(ROOT / "Cargo.toml"),
    ]
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)[
        "packages"
    ]
    problems = [problem for package in packages for problem in problems_of(package, rules)]
    print("\n".join(problems) or f"{len(packages)} crates keep to deny.toml")
    return 1 if problems else 0


def problems_of(package: dict[str, Any], rules: dict[str, Any]) -> list[str]:
    """What deny.toml says against one crate."""
    problems = []
    allowed = set(rules["licenses"]["allow"])
    for exception in rules["licenses"].get("exceptions", []):
        if exception["crate"] == package["name"]:
            allowed |= set(exception["allow"])
    if not is_allowed(package["license"] or "none", allowed):
        problems.append(f"{package['name']}: licence {package['license']} is not allowed")
    if package["name"] in {banned["crate"] for banned in rules["bans"]["deny"]}:
        problems.append(f"{package['name']}: banned")
    if package["source"] and not package["source"].startswith("registry+"):
        problems.append(f"{package['name']}: comes from {package['source']}")
    return problems


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether a licence expression can be met with the allowed licences; old crates write `/` for
    OR.
    """
    tokens = re.findall(r"[()]|[^\s()]+(?: WITH [^\s()]+)?", expression.replace("/", " OR "))
    words = {"OR": "or", "AND": "and", "(": "(", ")": ")"}
    # Every token becomes an operator, a bracket, True or False, so there is nothing in it but
    # logic.
    logic = " ".join(words.get(token, str(token in allowed)) for token in tokens)
    return bool(eval(logic))  # noqa: S307


if __name__ == "__main__":
    sys.exit(main())
