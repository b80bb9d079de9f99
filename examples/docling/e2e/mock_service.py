"""A Docling service that finds the same document in every file, for trying the backend out without
an account.

python examples/docling/e2e/mock_service.py target/debug/docling --port 9090
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from e2e.mock_service import Reply, run

VECTORS = ROOT / "examples/docling/tests/vectors/docling.json"
DOCUMENT = json.loads(VECTORS.read_text())["document"]


def answer(request: Any) -> Any:
    if request.path == "/version":
        return Reply({"docling-serve": "0.0.0"})
    if request.headers.get("x-api-key") != "a-key":
        return Reply({"detail": "Api key is required."}, 401)
    if request.path == "/v1/convert/file/async":
        if b"presigned_url" in request.body:
            return Reply(
                {"detail": "Presigned output requires artifact storage to be configured."}, 400
            )
        return Reply(
            {"task_id": "job", "task_type": "convert", "task_status": "pending", "task_position": 1}
        )
    if request.path == "/v1/status/poll/job":
        return Reply({"task_id": "job", "task_status": "success"})
    if request.path == "/v1/result/job":
        return Reply(
            {
                "document": {"filename": "document", "json_content": DOCUMENT},
                "status": "success",
                "errors": [],
            }
        )
    return Reply({"detail": "Not Found"}, 404)


def environment(url: Any) -> Any:
    return {"DOCLING_SERVICE_URL": url + "/v1", "DOCLING_SERVE_API_KEY": "a-key"}


if __name__ == "__main__":
    run(answer, environment)
