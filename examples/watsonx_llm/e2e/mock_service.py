"""watsonx.ai, IBM's token exchange and a Presto engine, for trying the backend out without an
account.

python examples/watsonx_llm/e2e/mock_service.py target/debug/watsonx_llm --port 9090
"""

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from e2e.mock_service import Reply, run

KEY = "an-api-key"
TOKEN = "a-token"
MODEL = "ibm/granite-13b-chat-v2"


def answer(request: Any) -> Any:
    if request.path == "/oidc/token":
        good = ("apikey=" + KEY) in request.body.decode()
        return (
            Reply({"access_token": TOKEN, "expires_in": 3600})
            if good
            else Reply({"errorMessage": "no such key"}, 400)
        )
    if request.path == "/v1/statement":
        return Reply({"id": "q", "stats": {"state": "FINISHED"}})
    if request.headers.get("authorization") != "Bearer " + TOKEN:
        return Reply({"errors": [{"message": "no token"}]}, 401)
    if request.path == "/ml/v1/foundation_model_specs":
        return Reply({"resources": [{"model_id": MODEL}]})
    if request.path == "/ml/v1/text/generation":
        words = re.findall(r"\w+", request.json["input"])
        return Reply(
            {"model_id": MODEL, "results": [{"generated_text": f"Good\n{len(words)} words"}]}
        )
    return Reply({"errors": [{"message": request.path}]}, 404)


def environment(url: Any) -> Any:
    return {
        "WATSONX_URL": url,
        "WATSONX_IAM_URL": url + "/oidc/token",
        "WATSONX_API_KEY": KEY,
        "WATSONX_PROJECT_ID": "project-1",
        "WATSONX_MODELTYPE": "GRANITE_13B_CHAT_V2",
        "USE_INTERNAL_PROMPT_TEMPLATE": "0",
        "DEFAULT_PROMPT": "Is this good? {text}",
        "WATSONX_ENG_USERNAME": "ibmlhapikey",
        "WATSONX_ENG_HOST": url.rpartition(":")[0],
        "WATSONX_ENG_PORT": url.rpartition(":")[2],
        "WATSONX_CATALOG": "iceberg_data",
        "WATSONX_SCHEMA": "labels",
        "WATSONX_TABLE": "annotations",
    }


if __name__ == "__main__":
    run(answer, environment)
