"""Downloads from Label Studio."""

from typing import Any


def download_ls_dataset(api_url: str, api_token: str, project_id: int) -> list[dict[str, Any]]:
    """Returns all labeled tasks of a project."""
    from label_studio_sdk import Client

    # The legacy client has no types.
    client: Any = Client(api_url, api_token)
    tasks: list[dict[str, Any]] = client.get_project(id=project_id).get_labeled_tasks()
    return tasks
