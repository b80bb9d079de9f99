"""Error answers."""

from __future__ import annotations

import functools
import logging
import sys
from typing import Any, Callable

from ._internal.http import CURRENT, Response

logger = logging.getLogger(__name__)


def answer(status: int = 0, msg: str = "", result: Any = None) -> Response:
    """Creates an answer with a status, a text, and a result if there is one."""
    if status == 0 and not msg and result is None:
        status, msg = -1000, "nothing happened"
    if status == 200 and not msg:
        msg = "ok"
    body: dict[str, Any] = {"status": status, "detail": msg, "request": _query()}
    if result is not None:
        body["result"] = result
    return Response.of_json(body, status if 100 <= status <= 599 else 500)


def _query() -> dict[str, str]:
    request = CURRENT.get()
    if request is not None:
        return request.args
    flask: Any = sys.modules.get("flask")
    return dict(flask.request.args) if flask is not None and flask.has_request_context() else {}


class AnswerException(Exception):
    """Ends a call with an answer."""

    def __init__(self, status: int, msg: str = "", result: dict[str, Any] | None = None) -> None:
        self.status, self.msg, self.result = status, msg, result
        self.answer = answer(status, msg, result)
        super().__init__(msg)


def exception_handler(f: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a function so that its exceptions become answers."""

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return f(*args, **kwargs)
        except AnswerException as error:
            logger.error("%s failed", f.__name__, exc_info=True)
            return error.answer
        except Exception as error:
            logger.error("%s failed", f.__name__, exc_info=True)
            return answer(500, f"{type(error).__name__}: {error}")

    return wrapped
