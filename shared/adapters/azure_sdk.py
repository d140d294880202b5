"""Options of every client of the Azure SDK: time-outs and retries."""

from typing import Any, Final

RESPONSIVE: Final[dict[str, Any]] = {
    "connection_timeout": 1,
    "read_timeout": 2,
    "retry_total": 2,
    "retry_connect": 2,
    "retry_read": 2,
    "retry_status": 2,
    "retry_backoff_factor": 0.1,
}
"""An outage is detected within seconds. The SDK's own defaults wait up to 300 seconds and try ten times."""
