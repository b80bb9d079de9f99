"""A chat model with OpenAI's API, for trying the backend out without an account.

python examples/llm_interactive/e2e/mock_service.py target/debug/llm_interactive --port 9090
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from e2e.mock_service import Reply, run

# Asked by prompts of the kind "... A or B?", the answer is A.
ANSWERS = {"sarcastic": "Sarcastic", "invoice": "Invoice", "refund": "Refund"}


def answer(request: Any) -> Any:
    if request.headers.get("authorization") != "Bearer a-key":
        return Reply({"error": {"message": "Incorrect API key provided"}}, 401)
    asked = request.text.lower()
    content = next((said for word, said in ANSWERS.items() if word in asked), "I do not know")
    return Reply(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        }
    )


def environment(url: Any) -> Any:
    return {"OPENAI_BASE_URL": url + "/v1", "OPENAI_API_KEY": "a-key", "OPENAI_MODEL": "gpt-4o"}


if __name__ == "__main__":
    run(answer, environment)
