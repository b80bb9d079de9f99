"""Deepgram and S3, for trying the backend out without accounts.

python examples/deepgram/e2e/mock_service.py target/debug/deepgram --port 9090
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from e2e.mock_service import Reply, run

STORED: dict[str, Any] = {}


def answer(request: Any) -> Any:
    if request.path == "/v1/speak":
        if request.headers.get("authorization") != "Token a-key":
            return Reply({"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}, 401)
        return Reply(b"ID3" + request.json["text"].encode(), headers={"Content-Type": "audio/mpeg"})
    if request.method == "PUT" and request.headers.get("authorization", "").startswith(
        "AWS4-HMAC-SHA256 "
    ):
        STORED[request.path] = request.body
        return Reply({})
    if request.path in STORED:
        return Reply(STORED[request.path], headers={"Content-Type": "audio/mpeg"})
    return Reply({}, 404)


def environment(url: Any) -> Any:
    return {
        "DEEPGRAM_URL": url + "/v1/speak",
        "DEEPGRAM_API_KEY": "a-key",
        "S3_ENDPOINT_URL": url,
        "S3_BUCKET": "bucket",
        "S3_FOLDER": "tts",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a-secret",
    }


if __name__ == "__main__":
    run(answer, environment)
