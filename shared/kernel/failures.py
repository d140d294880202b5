"""Unexpected errors in the log: the type and the place, never the message."""

import logging
import traceback


def log_failure(log: logging.Logger, name: str, error: Exception) -> None:
    """Log the type and the place of an unexpected error. Its message may hold personal data and is left out."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s failed: %s\n%s", name, type(error).__name__, frames)
