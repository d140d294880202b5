"""The dialect of the API: refusals as `application/problem+json` (RFC 9457)."""

import json
from typing import ClassVar

from azure.functions import HttpResponse

from functions.http.refusals import EXPOSED, headers_of, status_of
from shared.kernel.faults import MOST_FAULTS
from shared.kernel.refusals import Invalid, Refusal

TYPE_PREFIX = "urn:azure-sso:problem:"

INTERNAL = TYPE_PREFIX + "internal"
"""The type of an internal error, which is no refusal."""


class Problems:
    """The dialect of the API."""

    name: ClassVar = "Problem"

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        status = status_of(refusal)
        problem: dict[str, object] = {
            "type": TYPE_PREFIX + refusal.slug,
            "title": refusal.title,
            "status": status,
            "detail": refusal.detail,
            "instance": f"urn:uuid:{invocation_id}",
        }
        if isinstance(refusal, Invalid) and refusal.faults:
            problem["errors"] = [
                {"field": fault.field, "detail": fault.detail} for fault in refusal.faults[:MOST_FAULTS]
            ]
        return _problem(problem, status, headers_of(refusal))

    def failed(self, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        problem = {
            "type": INTERNAL,
            "title": "Something went wrong",
            "status": 500,
            "detail": "This is an error in the service. Give its operators the id in `instance`.",
            "instance": f"urn:uuid:{invocation_id}",
        }
        return _problem(problem, 500, {})


def _problem(problem: dict[str, object], status: int, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(
        json.dumps(problem),
        status_code=status,
        mimetype="application/problem+json",
        headers={"Cache-Control": "no-store", **EXPOSED, **headers},
    )
