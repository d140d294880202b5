"""The dialect of the API: refusals as `application/problem+json` (RFC 9457)."""

import json
from typing import ClassVar

from azure.functions import HttpResponse

from functions.http.dialects import TYPE_PREFIX, problem
from functions.http.refusals import EXPOSED, headers_of, status_of
from shared.kernel.faults import MOST_FAULTS
from shared.kernel.refusals import Invalid, Refusal


class Problems:
    """The dialect of the API."""

    name: ClassVar = "Problem"

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        status = status_of(refusal)
        document: dict[str, object] = {
            "type": TYPE_PREFIX + refusal.slug,
            "title": refusal.title,
            "status": status,
            "detail": refusal.detail,
            "instance": f"urn:uuid:{invocation_id}",
        }
        if isinstance(refusal, Invalid) and refusal.faults:
            document["errors"] = [
                {"field": fault.field, "detail": fault.detail} for fault in refusal.faults[:MOST_FAULTS]
            ]
        return HttpResponse(
            json.dumps(document),
            status_code=status,
            mimetype="application/problem+json",
            headers={"Cache-Control": "no-store", **EXPOSED, **headers_of(refusal)},
        )

    def failed(self, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        return problem(invocation_id)
