import contextlib
import io
import socket
import unittest

from demo.__main__ import port_for


class DemoTest(unittest.TestCase):
    def test_a_taken_port_is_said(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            taken = listener.getsockname()[1]
            with contextlib.redirect_stdout(io.StringIO()) as output:
                port = port_for("the backend", taken)
        self.assertNotEqual(port, taken)
        self.assertEqual(
            output.getvalue(), f"port {taken} is taken, so the backend gets port {port}\n"
        )
