"""The facade of the connection package: make a connection, check it, and end it."""

from dataclasses import dataclass
from typing import Any, Self

from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.connection.checks import ConnectionChecks
from shared.connection.completion import Completion
from shared.connection.connected_domains import ConnectedDomains
from shared.connection.consent import ConsentFlow
from shared.connection.disconnection import Disconnection
from shared.connection.progress import Progress
from shared.connection.return_urls import ReturnUrls
from shared.connection.setup_book import SetupBook
from shared.connection.tries import Tries
from shared.domains.routing import DomainRouting
from shared.duties.duties import Duties
from shared.duties.kinds import Kind
from shared.flows.flows import Flows
from shared.ports.clock import Clock
from shared.ports.consent import Consent
from shared.ports.organizations import Organizations
from shared.ports.sign_in import EntraSignIn
from shared.ports.table import Table
from shared.ports.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The link between each account and its tenant."""

    consent: ConsentFlow
    """Makes it: from the start link to the proof."""
    setup: SetupBook
    """Lists and revokes setup links."""
    checks: ConnectionChecks
    """Reads it, and checks whether the consent is still valid."""
    disconnection: Disconnection
    """Ends it, also when its account is removed."""
    domains: ConnectedDomains
    """The domains of each tenant, and which of them route to its account."""

    @classmethod
    def assemble(
        cls,
        *,
        table: Table,
        journal: Journal,
        register: AccountRegister,
        flows: Flows,
        duties: Duties,
        routing: DomainRouting,
        consent: Consent,
        sign_in: EntraSignIn,
        organizations: Organizations,
        clock: Clock,
        telemetry: Telemetry,
        return_urls: ReturnUrls,
        redirect_uri: str,
    ) -> Self:
        """Make the parts and join them, as `shared.assembly` does for the product."""
        completion = Completion(
            table=table,
            journal=journal,
            routing=routing,
            organizations=organizations,
            clock=clock,
            telemetry=telemetry,
        )
        tries = Tries(
            flows=flows,
            sign_in=sign_in,
            consent=consent,
            completion=completion,
            clock=clock,
            telemetry=telemetry,
            redirect_uri=redirect_uri,
        )
        return cls(
            consent=ConsentFlow(
                table=table,
                journal=journal,
                flows=flows,
                consent=consent,
                tries=tries,
                completion=completion,
                progress=Progress(table=table),
                clock=clock,
                telemetry=telemetry,
                return_urls=return_urls,
                redirect_uri=redirect_uri,
            ),
            setup=SetupBook(table=table, journal=journal, clock=clock),
            checks=ConnectionChecks(
                table=table,
                journal=journal,
                organizations=organizations,
                routing=routing,
                duties=duties,
                clock=clock,
                telemetry=telemetry,
            ),
            disconnection=Disconnection(
                table=table,
                journal=journal,
                routing=routing,
                accounts=register,
                duties=duties,
                clock=clock,
                telemetry=telemetry,
            ),
            domains=ConnectedDomains(
                table=table, journal=journal, routing=routing, organizations=organizations, clock=clock
            ),
        )

    def kinds(self) -> tuple[Kind[Any], ...]:
        """The kinds of duties."""
        return self.disconnection.kind(), self.checks.kind()
