"""What coverage need not be told: it nearly doubles the time of the Python that it follows."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_thread_unmeasured() -> Iterator[None]:
    """Inside, coverage does not follow this thread. It does follow the others, such as that of the service."""
    followed = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(followed)


@contextmanager
def new_threads_unmeasured() -> Iterator[None]:
    """Coverage does not follow the threads that start inside."""
    followed = threading.gettrace()
    threading.settrace(None)  # type: ignore[arg-type]  # documented for sys.settrace, and the same
    try:
        yield
    finally:
        threading.settrace(followed)  # type: ignore[arg-type]
