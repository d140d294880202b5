"""Ports in, the product out: the parts of the product, and what each is made of.

It knows no settings and no SDK: `shared.wiring` and the tests make the ports. A part's fields list what it needs.
"""

from functools import partial

from shared.accounts.accounts import Accounts
from shared.accounts.journal import Journal
from shared.accounts.register import AccountRegister
from shared.applications.register import ApplicationRegister
from shared.applications.secrets import SecretChecks
from shared.connection.checks import ConnectionChecks
from shared.connection.connected_domains import ConnectedDomains, has_domain
from shared.connection.connections import Connections, consent_flow
from shared.connection.disconnection import Disconnection
from shared.connection.setup_book import SetupBook
from shared.domains.domain_claims import DomainClaims
from shared.domains.routing import DomainRouting
from shared.duties.duties import Duties
from shared.duties.runner import DutyRunner
from shared.edge_ports import EdgePorts
from shared.flows.flows import Flows
from shared.health import Health
from shared.overview import Overviews
from shared.policies.book import PolicyBook
from shared.portal.portal import Portal
from shared.ports.table import Key
from shared.privacy.privacy import Privacy
from shared.product_ports import Ports
from shared.provider.authorization_response import Responses
from shared.provider.authorize import AuthorizeStep
from shared.provider.callback import CallbackStep
from shared.provider.client_authentication import ClientAuthentication
from shared.provider.codes import Codes
from shared.provider.end_session import EndSession
from shared.provider.expected_person import ExpectedPeople
from shared.provider.families import Families
from shared.provider.issuer import Issuer
from shared.provider.login_initiation import LoginInitiation
from shared.provider.logout_notices import LogoutNotices
from shared.provider.openid_provider import OpenIdProvider
from shared.provider.pushed_requests import PushedRequests
from shared.provider.refresh import RefreshEndpoint
from shared.provider.reused_codes import ReusedCodes
from shared.provider.revocation import Revocation
from shared.provider.sessions import Sessions
from shared.provider.sign_in import SignIn
from shared.provider.standing import Standing
from shared.provider.token import TokenEndpoint
from shared.provider.userinfo import Userinfo
from shared.resolution.facts import Readers
from shared.resolution.resolver import Resolver
from shared.services import Services
from shared.upkeep import Upkeep
from shared.users.admission import Admission
from shared.users.exemption_sets import ExemptionSets
from shared.users.users import Users


def assemble(ports: Ports) -> Services:
    """Make every part and join them. Does no I/O and opens nothing."""
    accounts, clock, telemetry = ports.accounts, ports.clock, ports.telemetry
    journal = Journal(table=ports.accounts, clock=clock)
    flows = Flows(table=ports.flows, clock=clock)
    register = AccountRegister(table=ports.accounts, journal=journal, clock=clock)
    routing = DomainRouting(table=accounts, journal=journal, claims=DomainClaims(table=ports.domains, clock=clock))
    consent = consent_flow(
        table=ports.accounts,
        journal=journal,
        flows=flows,
        routing=routing,
        consent=ports.consent,
        sign_in=ports.sign_in,
        organizations=ports.organizations,
        clock=clock,
        telemetry=telemetry,
        return_urls=ports.return_urls.and_below(f"{ports.public_url}/portal/"),
        redirect_uri=f"{ports.public_url}/v1/connect/callback",
    )
    applications = ApplicationRegister(table=ports.applications, clock=clock)
    duties = Duties(table=ports.duties, clock=clock)
    checks = ConnectionChecks(
        table=ports.accounts,
        journal=journal,
        organizations=ports.organizations,
        routing=routing,
        duties=duties,
        clock=clock,
        telemetry=telemetry,
    )
    disconnection = Disconnection(
        table=ports.accounts,
        journal=journal,
        routing=routing,
        accounts=register,
        duties=duties,
        clock=clock,
        telemetry=telemetry,
    )
    users = Users.assemble(
        accounts=accounts,
        recent_accounts=ports.recent_accounts,
        domains=ports.domains,
        journal=journal,
        clock=clock,
        has_domain=has_domain,
    )
    resolver = Resolver(
        readers=Readers(
            accounts=ports.recent_accounts,
            domains=ports.recent_domains,
            applications=ports.recent_applications,
            exemptions=ExemptionSets(table=ports.accounts, clock=clock),
        ),
        authority=ports.sign_in.authority,
        clock=clock,
        telemetry=telemetry,
        authorize_url=f"{ports.public_url}/oauth2/authorize",
    )
    portal = Portal.assemble(accounts=accounts, journal=journal, flows=flows, clock=clock)
    provider = _openid_provider(ports, flows, resolver, users.admission, checks)
    privacy = Privacy.assemble(
        accounts=ports.accounts,
        journal=journal,
        applications=applications,
        sessions=provider.end_session,
        people=users.people,
        duties=duties,
        limits=ports.limits,
        clock=clock,
    )
    return Services(
        edge=EdgePorts(
            public_url=ports.public_url,
            cookie_prefix=ports.cookie_prefix,
            control_panel=ports.return_urls.home,
            branding=ports.branding,
            access_tokens=ports.access_tokens,
            portal_access=portal.sessions,
            telemetry=telemetry,
            clock=clock,
        ),
        accounts=Accounts(register=register, journal=journal),
        applications=applications,
        connection=Connections(
            consent=consent,
            setup=SetupBook(table=ports.accounts, journal=journal, clock=clock),
            checks=checks,
            disconnection=disconnection,
            domains=ConnectedDomains(
                table=ports.accounts, journal=journal, routing=routing, organizations=ports.organizations, clock=clock
            ),
        ),
        policies=PolicyBook(table=ports.accounts, journal=journal, clock=clock, applications=ports.applications),
        users=users,
        privacy=privacy,
        portal=portal,
        overviews=Overviews(table=ports.accounts, applications=applications, clock=clock),
        resolution=resolver,
        provider=provider,
        upkeep=Upkeep(
            flows=flows,
            duties=DutyRunner(
                table=ports.duties,
                clock=clock,
                kinds=(provider.end_session.notices.kind(), disconnection.kind(), checks.kind(), *privacy.kinds()),
            ),
            privacy=privacy,
            health=_health(ports),
            close=ports.close,
        ),
    )


def _openid_provider(
    ports: Ports, flows: Flows, resolver: Resolver, admission: Admission, checks: ConnectionChecks
) -> OpenIdProvider:
    issuer = Issuer(issuer=ports.public_url, tokens=ports.tokens, clock=ports.clock)
    sessions = Sessions(table=ports.flows, clock=ports.clock)
    duties = Duties(table=ports.duties, clock=ports.clock)
    notices = LogoutNotices(
        applications=ports.recent_applications, sessions=sessions, issuer=issuer, notices=ports.notices, duties=duties
    )
    people = ExpectedPeople(seal=ports.seal, tokens=ports.tokens, accounts=ports.recent_accounts, clock=ports.clock)
    standing = Standing(accounts=ports.accounts, recent=ports.recent_accounts, resolver=resolver)
    reused = ReusedCodes(flows=flows)
    families = Families(table=ports.flows, sessions=sessions, clock=ports.clock)
    codes = Codes(flows=flows, sessions=sessions, families=families, reused=reused)
    sign_in = _sign_in(ports, flows, resolver, admission, checks, people, codes)
    return OpenIdProvider(
        sign_in=sign_in,
        pushed=sign_in.pushed,
        initiation=LoginInitiation(applications=ports.recent_applications, people=people, issuer=ports.public_url),
        clients=ClientAuthentication(
            applications=ports.recent_applications,
            flows=ports.flows,
            tokens=ports.tokens,
            audiences=(ports.public_url, f"{ports.public_url}/oauth2/token", f"{ports.public_url}/oauth2/par"),
            secrets=SecretChecks(clock=ports.clock),
        ),
        token=TokenEndpoint(
            codes=codes,
            standing=standing,
            families=families,
            issuer=issuer,
            telemetry=ports.telemetry,
        ),
        refresh=RefreshEndpoint(families=families, standing=standing, issuer=issuer, telemetry=ports.telemetry),
        revocation=Revocation(families=families),
        userinfo=Userinfo(tokens=ports.tokens, issuer=ports.public_url, reused=reused),
        end_session=EndSession(
            applications=ports.recent_applications,
            sessions=sessions,
            families=families,
            provider=ports.sign_in,
            tokens=ports.tokens,
            issuer=issuer,
            notices=notices,
        ),
        tokens=ports.tokens,
    )


def _sign_in(
    ports: Ports,
    flows: Flows,
    resolver: Resolver,
    admission: Admission,
    checks: ConnectionChecks,
    people: ExpectedPeople,
    codes: Codes,
) -> SignIn:
    redirect_uri = f"{ports.public_url}/signin/callback"
    responses = Responses(checks=checks, telemetry=ports.telemetry, issuer=ports.public_url)
    return SignIn(
        applications=ports.recent_applications,
        authorize_step=AuthorizeStep(
            resolver=resolver, flows=flows, provider=ports.sign_in, responses=responses, redirect_uri=redirect_uri
        ),
        callback_step=CallbackStep(
            resolver=resolver,
            flows=flows,
            admission=admission,
            codes=codes,
            people=people,
            provider=ports.sign_in,
            responses=responses,
            clock=ports.clock,
            redirect_uri=redirect_uri,
        ),
        people=people,
        pushed=PushedRequests(applications=ports.recent_applications, flows=flows, responses=responses),
        responses=responses,
    )


def _health(ports: Ports) -> Health:
    """The probes. Entra's acceptance of this service's credential is probed only if the home tenant is set."""
    tenant = ports.home_tenant
    return Health(
        {
            "storage": partial(ports.accounts.get, Key("health", "health")),
            "entra": ports.sign_in.probe,
            "controlPanel": ports.access_tokens.probe,
            "signingKeys": ports.signing_keys.probe,
        },
        ports.clock,
        costly={"credential": partial(ports.organizations.probe_credential, tenant)} if tenant else {},
    )
