"""An ML backend for Label Studio: suggests the choice that was submitted last."""

from typing import Any, Dict, List, Optional

from label_studio_sdk.label_interface.objects import PredictionValue

from label_studio_ml.model import LabelStudioMLBase
from label_studio_ml.response import ModelResponse


class NewModel(LabelStudioMLBase):
    """Put your model here. `self.get` and `self.set` store texts about the project."""

    def setup(self) -> None:
        """Runs once before the first call for a project: the place to load weights."""
        if self.get("model_version") == self.INITIAL_MODEL_VERSION:
            self.set("model_version", "NewModel-v0.0.1")

    def predict(
        self,
        tasks: List[Dict[str, Any]],
        context: Optional[Dict[str, Any]] = None,
        **kwargs: Any,
    ) -> ModelResponse:
        """Answers with one prediction per task, in order.

        `context` is what the user has just labeled, in interactive mode. A file that a task refers
        to is fetched with `self.get_local_path(task["data"]["image"], task_id=task["id"])`.
        """
        choice = self.get("last_choice")
        if choice is None:
            return ModelResponse(predictions=[])
        from_name, to_name, _ = self.label_interface.get_first_tag_occurence("Choices", "Text")
        region = {
            "from_name": from_name,
            "to_name": to_name,
            "type": "choices",
            "value": {"choices": [choice]},
        }
        prediction = PredictionValue(result=[region], score=0.5)
        return ModelResponse(predictions=[prediction for _ in tasks])

    def fit(self, event: str, data: Dict[str, Any], **kwargs: Any) -> Any:
        """Learns from an event: an annotation was created, updated or deleted, or a user pressed
        Start Training.

        It may take its time: the server calls it in the background.
        """
        if event not in ("ANNOTATION_CREATED", "ANNOTATION_UPDATED"):
            return None
        for region in data["annotation"]["result"]:
            if region["type"] == "choices":
                self.set("last_choice", region["value"]["choices"][0])
        return {"last_choice": self.get("last_choice")}
