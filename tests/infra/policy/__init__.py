"""What `infra/` must say, given what the code needs: pure functions from both to complaints, none if all is well.

Each complaint is a sentence with the name of what is missing or should not be there. The rules read the plans; those of
`compiled` read what only a compiled template has.
"""

from collections.abc import Callable, Iterator

from tests.infra.plans import Infra
from tests.infra.policy.app import follows, forbidden, host_values, names_come_true, one_identity, roles, settings
from tests.infra.policy.expectations import Expectations
from tests.infra.policy.files import every_file_is_used, parameter_files, versions
from tests.infra.policy.registration import addresses, consent, trust
from tests.infra.policy.stores import closed, diagnostics, private_networking, signing_key, tables
from tests.infra.policy.watch import alerts, every_query_is_asked, health_test, queries

POLICY: tuple[Callable[[Infra, Expectations], Iterator[str]], ...] = (
    settings,
    host_values,
    forbidden,
    follows,
    one_identity,
    names_come_true,
    roles,
    tables,
    closed,
    private_networking,
    diagnostics,
    signing_key,
    addresses,
    consent,
    trust,
    alerts,
    health_test,
    every_query_is_asked,
    queries,
    versions,
    every_file_is_used,
    parameter_files,
)


def check(infra: Infra, code: Expectations) -> list[str]:
    """Everything that is wrong between the two."""
    return [complaint for rule in POLICY for complaint in rule(infra, code)]
