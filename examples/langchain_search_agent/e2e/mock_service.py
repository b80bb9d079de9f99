"""A chat model with OpenAI's API and a SearxNG, for trying the backend out without an account.

python examples/langchain_search_agent/e2e/mock_service.py target/debug/langchain_search_agent
--port 9090
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from e2e.mock_service import Reply, run


def completion(message: Any, reason: str) -> Any:
    return Reply(
        {
            "choices": [
                {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        }
    )


def answer(request: Any) -> Any:
    if request.path == "/search":
        return Reply(
            {"results": [{"content": "About " + request.query["q"]}, {"content": "More of it"}]}
        )
    if request.headers.get("authorization") != "Bearer a-key":
        return Reply({"error": {"message": "Incorrect API key provided"}}, 401)
    messages = request.json["messages"]
    if messages[-1]["role"] == "user":
        call = {
            "name": request.json["tools"][0]["function"]["name"],
            "arguments": json.dumps({"__arg1": messages[0]["content"][:40]}),
        }
        return completion(
            {
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
            },
            "tool_calls",
        )
    return completion({"content": "Good"}, "stop")


def environment(url: Any) -> Any:
    return {
        "OPENAI_BASE_URL": url + "/v1",
        "OPENAI_API_KEY": "a-key",
        "SEARXNG_URL": url,
        "DEFAULT_PROMPT": "Is this good? ",
    }


if __name__ == "__main__":
    run(answer, environment)
