"""The tenant that a Security Manager names for an integration."""

import contextlib

from shared.connection.consent_steps import AskedTenant
from shared.kernel.names import PERSONAL_ACCOUNTS, DomainName, TenantId
from shared.kernel.refusals import FieldFault, Invalid
from shared.ports.consent import Consent


async def find_tenant(consent: Consent, text: str) -> AskedTenant:
    """The tenant that a Security Manager names.

    Raises:
        Invalid: it is neither an id nor a domain, or nobody's; the error names the field `tenant`.
        Unavailable: Microsoft does not respond.
    """
    name = _tenant_name(text)
    found = None if name is None else await consent.find_tenant(name)
    if name is None or found is None or found == PERSONAL_ACCOUNTS:
        fault = "Microsoft knows no organisation by it." if name else "It is neither a tenant's id nor a domain."
        raise Invalid("The tenant is not known.", [FieldFault("tenant", fault)])
    return AskedTenant(tenant_id=found, named=name)


def _tenant_name(text: str) -> TenantId | DomainName | None:
    for kind in (TenantId, DomainName):
        with contextlib.suppress(ValueError):
            return kind(text)
    return None
