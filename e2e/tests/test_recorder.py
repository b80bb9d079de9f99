import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests

from e2e.process import free_port
from e2e.recorder import Recorder


class Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class RecorderTest(unittest.TestCase):
    def start_target(self) -> str:
        target = HTTPServer(("127.0.0.1", 0), Echo)
        self.addCleanup(target.server_close)
        self.addCleanup(target.shutdown)
        threading.Thread(target=target.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{target.server_address[1]}"

    def test_requests_are_passed_on_and_remembered(self) -> None:
        with Recorder(self.start_target()) as recorder:
            event = {"action": "TASKS_CREATED", "tasks": ["ü"]}
            answer = requests.post(f"{recorder.url}/webhook?a=b", json=event, timeout=10)
            exchange = recorder.webhook(0, "TASKS_CREATED")
        self.assertEqual((answer.status_code, answer.json()), (201, event))
        self.assertEqual(answer.headers["X-Path"], "/webhook?a=b")
        self.assertEqual(
            (exchange.status, exchange.request, exchange.response), (201, event, event)
        )
        self.assertEqual((exchange.path, exchange.size), ("/webhook", len(json.dumps(event))))

    def test_a_target_is_served_below_a_path(self) -> None:
        with Recorder(self.start_target(), prefix="/a/b") as recorder:
            answer = requests.post(f"{recorder.url}/predict?c", json={}, timeout=10)
            outside = requests.post(recorder.url.replace("/a/b", "/predict"), json={}, timeout=10)
        self.assertEqual((answer.status_code, answer.headers["X-Path"]), (201, "/predict?c"))
        self.assertEqual(outside.status_code, 404)

    def test_a_dead_backend_is_a_bad_gateway(self) -> None:
        with Recorder(f"http://127.0.0.1:{free_port()}") as recorder:
            self.assertEqual(requests.get(f"{recorder.url}/health", timeout=10).status_code, 502)
            self.assertEqual([exchange.status for exchange in recorder.since(0, "/health")], [502])
