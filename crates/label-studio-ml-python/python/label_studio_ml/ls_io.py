"""Downloads from Label Studio."""

from typing import Dict, List


def download_ls_dataset(api_url: str, api_token: str, project_id: int) -> List[Dict]:
    """Returns all labeled tasks of a project."""
    from label_studio_sdk import Client

    return Client(api_url, api_token).get_project(id=project_id).get_labeled_tasks()
