"""Small functions that models import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from label_studio_ml import utils

VECTORS = Path(__file__).parents[3] / "vectors"
MATCHES = json.loads((VECTORS / "core_match_labels.json").read_text())["cases"]
PRELOADS = json.loads((VECTORS / "core_preload.json").read_text())["cases"]

PARSED = {
    "mood": {
        "type": "Choices",
        "to_name": ["text"],
        "inputs": [{"type": "Text", "value": "t"}],
        "labels": ["Happy"],
    }
}


@pytest.mark.parametrize("case", MATCHES, ids=range(len(MATCHES)))
def test_lines_match_the_label_that_is_most_like_them(case: dict[str, Any]) -> None:
    assert utils.match_labels(case["input"], case["labels"]) == case["matched"]


@pytest.mark.parametrize("case", PRELOADS, ids=lambda case: case["value"])
def test_addresses_of_files_are_known(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.get("note"):
        pytest.skip("depends on the disk of the machine that recorded it")
    monkeypatch.chdir(tmp_path)
    assert utils.is_preload_needed(case["value"]) == case["needed"]


def test_the_only_tag_is_taken_apart() -> None:
    assert utils.get_single_tag_keys(PARSED, "Choices", "Text") == ("mood", "text", "t", ["Happy"])
    for control, obj in [("Labels", "Text"), ("Choices", "Image")]:
        with pytest.raises(AssertionError):
            utils.get_single_tag_keys(PARSED, control, obj)
    with pytest.raises(AssertionError):
        utils.get_single_tag_keys({}, "Choices", "Text")
    assert utils.get_first_tag_keys(PARSED, "Choices", "Text") == ("mood", PARSED["mood"])
    assert utils.get_first_tag_keys(PARSED, "Choices", "Image") == (None, None)


def test_skipped_tasks_and_choices() -> None:
    task = {"annotations": [{"was_cancelled": True, "result": [{"value": {"choices": ["Happy"]}}]}]}
    assert utils.is_skipped(task) and utils.get_choice(task) == "Happy"
    assert not utils.is_skipped({"annotations": [{}, {"skipped": True}]})
    assert not utils.is_skipped({"annotations": [{}]})


def test_an_image_has_the_size_that_people_see(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    turned = image.new("RGB", (3, 5))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif)
    assert utils.get_image_size(str(tmp_path / "a.jpg")) == (5, 3)


def test_the_value_used_longest_ago_makes_room() -> None:
    cache = utils.InMemoryLRUDictCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert "b" not in cache and cache.get("b") is None and cache.get("c") == 3


def test_structures_are_compared_with_a_tolerance() -> None:
    utils.compare_nested_structures({"a": [1.0, "x"]}, {"a": [1.00001, "x"]})
    for other in [{"a": [1.1, "x"]}, {"a": [1.0]}, {"b": 1}, {"a": [1.0, "y"]}]:
        with pytest.raises(AssertionError):
            utils.compare_nested_structures({"a": [1.0, "x"]}, other)
