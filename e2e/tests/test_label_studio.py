"""A Label Studio that is not ours is not taken for ours."""

import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from e2e.checks import CheckFailed
from e2e.label_studio import LabelStudio


class Another(BaseHTTPRequestHandler):
    """A server that is up, and does not know our token."""

    def do_GET(self) -> None:
        """Answers the health check alone."""
        self.send_response(200 if self.path == "/health" else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class TestLabelStudio(unittest.TestCase):
    def test_another_server_on_the_port_is_named(self) -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            HTTPServer(("127.0.0.1", 0), Another) as another,
        ):
            threading.Thread(target=another.serve_forever, daemon=True).start()
            program = Path(folder, "bin", "label-studio")
            program.parent.mkdir()
            program.write_text("#!/bin/sh\nexec sleep 60\n")
            program.chmod(0o755)
            with self.assertRaisesRegex(
                CheckFailed, "another Label Studio has taken http://127.0.0.1"
            ):
                LabelStudio(Path(folder), Path(folder, "data"), another.server_port)
            another.shutdown()


if __name__ == "__main__":
    unittest.main()
