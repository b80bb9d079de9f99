"""One word is labelled by hand; the backend labels all other places where it stands."""

from e2e.checks import check, equal
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Labels name="label" toName="text"><Label value="ORG"/><Label value="PER"/></Labels>
  <Text name="text" value="$text"/>
</View>
"""
TEXT = "😀 An apple is no Apple. Two a.ple, one apple!"


def substring_matching(stage: Stage) -> None:
    """Plays an interactive session with `interactive_substring_matching`."""
    with stage.step("the backend connects"):
        backend = stage.backend("interactive_substring_matching", {"EXCLUDE_SELECTED": "true"})
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        task = project.add_tasks([{"text": TEXT}])[0]["id"]
        project.connect(recorder.url)
        project.update_connection(is_interactive=True)

    with stage.step("without a drawn span there is nothing to say"):
        stage.client.retrieve_predictions(project.id)
        regions = [prediction["result"] for prediction in stage.client.predictions(project.id)]
        check(not any(regions), f"regions out of nowhere: {regions}")

    with stage.step("every other occurrence of the drawn word is labelled"):
        start = TEXT.index("apple")
        result = project.interactive(task, drawn(start, "apple", "ORG"))
        spans = [(region["value"]["start"], region["value"]["end"]) for region in result]
        wanted = [(found, found + 5) for found in (TEXT.index("Apple"), TEXT.rindex("apple"))]
        equal(spans, wanted, "spans, counted in characters")
        equal([region["value"]["text"] for region in result], ["Apple", "apple"], "texts")
        equal([region["value"]["labels"] for region in result], [["ORG"]] * 2, "labels")
        equal([region["score"] for region in result], [0.8, 1.0], "scores")

    with stage.step("a drawn pattern is plain text"):
        start = TEXT.index("a.ple")
        equal(
            project.interactive(task, drawn(start, "a.ple", "PER")),
            [],
            "other occurrences of a.ple",
        )
        equal(
            [call.path for call in recorder.exchanges if call.status >= 300], [], "failed requests"
        )
        equal(backend.stop(), 0, "exit status after SIGTERM")


def drawn(start: int, text: str, label: str) -> dict[str, object]:
    """The interactive context for a span just drawn."""
    value = {"start": start, "end": start + len(text), "text": text, "labels": [label]}
    return {
        "result": [
            {
                "id": "drawn",
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": value,
            }
        ]
    }
