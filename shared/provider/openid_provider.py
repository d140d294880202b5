"""The facade of the package: each endpoint, with the part that responds."""

from dataclasses import dataclass
from typing import Self

from shared.applications.secrets import SecretChecks
from shared.connection.checks import ConnectionChecks
from shared.duties.duties import Duties
from shared.flows.flows import Flows
from shared.kernel.seals import Seal
from shared.ports.clock import Clock
from shared.ports.notices import Notices
from shared.ports.sign_in import EntraSignIn
from shared.ports.table import RowReader, Table
from shared.ports.telemetry import Telemetry
from shared.ports.tokens import Tokens
from shared.provider.authorization_response import Responses
from shared.provider.authorize import AuthorizeStep
from shared.provider.callback import CallbackStep
from shared.provider.client_authentication import AuthenticatedClient, ClientAuthentication
from shared.provider.codes import Codes
from shared.provider.end_session import EndSession
from shared.provider.expected_person import ExpectedPeople
from shared.provider.families import Families
from shared.provider.issuer import Issuer
from shared.provider.login_initiation import LoginInitiation
from shared.provider.logout_notices import LogoutNotices
from shared.provider.parameters import Parameters, one
from shared.provider.pushed_requests import PushedRequests
from shared.provider.refresh import RefreshEndpoint
from shared.provider.renewal_pace import RenewalPace
from shared.provider.reused_codes import ReusedCodes
from shared.provider.revocation import Revocation
from shared.provider.sessions import Sessions
from shared.provider.sign_in import SignIn
from shared.provider.standing import Standing
from shared.provider.token import TokenEndpoint, TokenResponse
from shared.provider.userinfo import Userinfo
from shared.resolution.resolver import Resolver
from shared.users.admission import Admission


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdProvider:
    """The OpenID provider towards the vendor's applications."""

    sign_in: SignIn
    """The authorization endpoint, and the callback to which Entra sends a person back."""
    initiation: LoginInitiation
    """Lets a tile or a link elsewhere start a sign-in."""
    clients: ClientAuthentication
    """Authenticates the clients that call the endpoints for servers."""
    pushed: PushedRequests
    """The endpoint for pushed authorization requests."""
    token: TokenEndpoint
    """The token endpoint for codes."""
    refresh: RefreshEndpoint
    """The token endpoint for refresh tokens."""
    revocation: Revocation
    """The revocation endpoint."""
    userinfo: Userinfo
    """The userinfo endpoint."""
    end_session: EndSession
    """The end-session endpoint, and the logout that Entra begins."""
    tokens: Tokens
    """Has the key set with which others verify our tokens."""

    @classmethod
    def assemble(
        cls,
        *,
        public_url: str,
        accounts: Table,
        flows_table: Table,
        recent_accounts: RowReader,
        recent_applications: RowReader,
        flows: Flows,
        duties: Duties,
        resolver: Resolver,
        admission: Admission,
        checks: ConnectionChecks,
        entra: EntraSignIn,
        tokens: Tokens,
        seal: Seal,
        notices: Notices,
        telemetry: Telemetry,
        clock: Clock,
    ) -> Self:
        """Make the parts and join them, as `shared.assembly` does for the product."""
        issuer = Issuer(issuer=public_url, tokens=tokens, clock=clock)
        sessions = Sessions(table=flows_table, clock=clock)
        people = ExpectedPeople(seal=seal, tokens=tokens, accounts=recent_accounts, clock=clock)
        standing = Standing(accounts=accounts, recent=recent_accounts, resolver=resolver)
        reused = ReusedCodes(flows=flows)
        families = Families(table=flows_table, sessions=sessions, clock=clock)
        codes = Codes(flows=flows, sessions=sessions, families=families, reused=reused)
        responses = Responses(checks=checks, telemetry=telemetry, issuer=public_url)
        pushed = PushedRequests(applications=recent_applications, flows=flows, responses=responses)
        redirect_uri = f"{public_url}/signin/callback"
        sign_in = SignIn(
            applications=recent_applications,
            authorize_step=AuthorizeStep(
                resolver=resolver, flows=flows, provider=entra, responses=responses, redirect_uri=redirect_uri
            ),
            callback_step=CallbackStep(
                resolver=resolver,
                flows=flows,
                admission=admission,
                codes=codes,
                people=people,
                provider=entra,
                responses=responses,
                clock=clock,
                redirect_uri=redirect_uri,
            ),
            people=people,
            pushed=pushed,
            responses=responses,
        )
        return cls(
            sign_in=sign_in,
            pushed=pushed,
            initiation=LoginInitiation(applications=recent_applications, people=people, issuer=public_url),
            clients=ClientAuthentication(
                applications=recent_applications,
                flows=flows_table,
                tokens=tokens,
                audiences=(public_url, f"{public_url}/oauth2/token", f"{public_url}/oauth2/par"),
                secrets=SecretChecks(clock=clock),
            ),
            token=TokenEndpoint(codes=codes, standing=standing, families=families, issuer=issuer, telemetry=telemetry),
            refresh=RefreshEndpoint(
                families=families,
                pace=RenewalPace(clock=clock),
                standing=standing,
                issuer=issuer,
                telemetry=telemetry,
            ),
            revocation=Revocation(families=families),
            userinfo=Userinfo(tokens=tokens, issuer=public_url, reused=reused),
            end_session=EndSession(
                applications=recent_applications,
                sessions=sessions,
                families=families,
                provider=entra,
                tokens=tokens,
                issuer=issuer,
                notices=LogoutNotices(
                    applications=recent_applications, sessions=sessions, issuer=issuer, notices=notices, duties=duties
                ),
            ),
            tokens=tokens,
        )

    async def grant(self, client: AuthenticatedClient, parameters: Parameters) -> TokenResponse:
        """Respond to a token request: a code for tokens, or a refresh token for new ones.

        Raises:
            OAuthError: the request is refused.
            Unavailable: the store or the signing keys do not respond.
        """
        endpoint = self.refresh if one(parameters, "grant_type") == "refresh_token" else self.token
        return await endpoint.redeem(client, parameters)
