"""Functions that models import."""

from __future__ import annotations

# Some are here only for models that import them from here, as from the Python original.
import difflib  # noqa: F401
import importlib
import logging
import os
import re  # noqa: F401
from collections import OrderedDict
from typing import Any
from urllib.parse import urlparse

from ._internal._native import match_labels as _match_labels

logger = logging.getLogger(__name__)

DATA_UNDEFINED_NAME = "$undefined$"

_TOOLS = "label_studio_sdk._extensions.label_studio_tools.core.utils"


def __getattr__(name: str) -> Any:
    # Imported at first use, since these take a while.
    if name in ("Image", "ImageOps"):
        return importlib.import_module(f"PIL.{name}")
    if name == "get_env":
        return importlib.import_module(f"{_TOOLS}.params").get_env
    if name == "get_local_path":
        return importlib.import_module(f"{_TOOLS}.io").get_local_path
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_image_local_path(
    url: str,
    image_cache_dir: str | None = None,
    project_dir: str | None = None,
    image_dir: str | None = None,
) -> str:
    """Returns the local path of an image, downloading it if needed; for backends for the releases
    1.0.x.
    """
    get_local_path = importlib.import_module(f"{_TOOLS}.io").get_local_path
    path: str = get_local_path(
        url, cache_dir=image_cache_dir, project_dir=project_dir, image_dir=image_dir
    )
    return path


def get_single_tag_keys(
    parsed_label_config: dict[str, Any], control_type: str, object_type: str
) -> tuple[str, str, str, list[str]]:
    """Returns from_name, to_name, value and labels of the only control tag of a label config."""
    assert len(parsed_label_config) == 1, (
        f"the label config must have one control tag, but it has {len(parsed_label_config)}"
    )
    from_name, info = next(iter(parsed_label_config.items()))
    assert info["type"] == control_type, (
        f"this model labels with <{control_type}>, not with <{info['type']}>"
    )
    assert len(info["to_name"]) == 1, f"<{control_type}> must label one object tag"
    assert len(info["inputs"]) == 1, f"<{control_type}> must label one object tag"
    source = info["inputs"][0]
    assert source["type"] == object_type, (
        f"this model labels <{object_type}>, not <{source['type']}>"
    )
    return from_name, info["to_name"][0], source["value"], info["labels"]


def get_first_tag_keys(
    parsed_label_config: dict[str, Any], control_type: str, object_type: str
) -> tuple[str | None, dict[str, Any] | None]:
    """Returns name and description of the first control tag of a type that labels an object tag of
    a type.
    """
    for from_name, info in parsed_label_config.items():
        if info["type"] == control_type and any(
            source["type"] == object_type for source in info["inputs"]
        ):
            return from_name, info
    return None, None


def is_skipped(completion: dict[str, Any]) -> bool:
    """Returns whether the only annotation of a task was skipped or cancelled."""
    if len(completion["annotations"]) != 1:
        return False
    annotation = completion["annotations"][0]
    skipped: bool = annotation.get("skipped", False) or annotation.get("was_cancelled", False)
    return skipped


def get_choice(completion: dict[str, Any]) -> str:
    """Returns the first choice of a task's first annotation."""
    choice: str = completion["annotations"][0]["result"][0]["value"]["choices"][0]
    return choice


def get_image_size(filepath: str) -> tuple[int, int]:
    """Returns width and height of an image after its EXIF rotation."""
    from PIL import Image, ImageOps

    with Image.open(filepath) as image:
        size: tuple[int, int] = ImageOps.exif_transpose(image).size
    return size


class InMemoryLRUDictCache:
    """A dict that keeps the values used last."""

    def __init__(self, capacity: int = 1) -> None:
        self.cache: OrderedDict[Any, Any] = OrderedDict()
        self.capacity = capacity

    def __contains__(self, item: Any) -> bool:
        return item in self.cache

    def get(self, key: Any) -> Any:
        """Returns a value and marks it as used, or returns None."""
        if key not in self.cache:
            return None
        self.cache.move_to_end(key)
        return self.cache[key]

    def put(self, key: Any, value: Any) -> None:
        """Stores a value and evicts the one used longest ago when full."""
        if key not in self.cache and len(self.cache) >= self.capacity:
            self.cache.popitem(last=False)
        self.cache[key] = value
        self.cache.move_to_end(key)

    def __str__(self) -> str:
        return str(self.cache)


def match_labels(input: str, labels: list[str]) -> list[str]:
    """Returns the most similar label for each line of a text."""
    labels = list(labels)
    if not labels and input:
        raise ValueError("no labels to match with")
    return _match_labels(input, labels)


def is_valid_url(path: str) -> bool:
    """Returns whether a text is a URL with a scheme and a host."""
    try:
        url = urlparse(path)
    except ValueError:
        return False
    return bool(url.scheme and url.netloc)


def is_preload_needed(url: str) -> bool:
    """Returns whether a text refers to a file: an upload, a storage or web address, or a path."""
    if url.startswith(("upload", "/upload")):
        url = "/data/" + url.lstrip("/")
    return (
        url.startswith(("/data/upload", "s3:", "gs:", "azure-blob:"))
        or (url.startswith("/data/") and "?d=" in url)
        or is_valid_url(url)
        or os.path.exists(url)
    )


def compare_nested_structures(
    a: Any, b: Any, path: str = "", rel: float = 1e-4, abs: float | None = None
) -> None:
    """Asserts that two JSON values are equal, floats within a tolerance."""
    if isinstance(a, dict) and isinstance(b, dict):
        assert a.keys() == b.keys(), f"Keys mismatch at {path}"
        for key, value in a.items():
            compare_nested_structures(value, b[key], f"{path}.{key}", rel, abs)
    elif isinstance(a, list) and isinstance(b, list):
        assert len(a) == len(b), f"List size mismatch at {path}"
        for idx, value in enumerate(a):
            compare_nested_structures(value, b[idx], f"{path}[{idx}]", rel, abs)
    elif isinstance(a, float) and isinstance(b, float):
        from pytest import approx

        assert a == approx(b, rel=rel, abs=abs), f"Mismatch at {path}"
    else:
        assert a == b, f"Mismatch at {path}"
