"""The network of the tests and of the bench does not make anybody wait."""

import socket
from urllib.parse import urlsplit

from tests.support.wire import CannedWeb, canned_web

_UNTIL_LINUX_WAITS = 30
"""Requests on one connection: the first segments of one are acknowledged at once."""


def test_head_and_body_of_a_set_response_leave_together() -> None:
    """A body that is sent by itself waits until the client acknowledges the head: 40 ms on Linux, in every sign-in."""
    with canned_web(CannedWeb(body=b'{"whole": true}')) as web:
        port = urlsplit(web.url).port
        with socket.create_connection(("127.0.0.1", port)) as client:
            for _ in range(_UNTIL_LINUX_WAITS):
                client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                first = client.recv(65_536)
                assert first.startswith(b"HTTP/1.1 200 ")
                assert first.endswith(b'\r\n\r\n{"whole": true}')
