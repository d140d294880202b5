"""FastAPI Users: https://fastapi-users.github.io/fastapi-users/latest/configuration/oauth/, its people in memory."""

import os
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, JWTStrategy
from fastapi_users.db import BaseUserDatabase
from httpx_oauth.clients.openid import OpenID

SECRET = "not a secret, but long enough to sign with"


@dataclass
class User:
    email: str
    hashed_password: str
    id: UUID = field(default_factory=uuid4)
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = True
    oauth_accounts: list[Any] = field(default_factory=list)


class Users(BaseUserDatabase[User, UUID]):
    def __init__(self) -> None:
        self.known: list[User] = []

    async def get(self, id: UUID) -> User | None:  # noqa: A002 - the library's name
        return next((user for user in self.known if user.id == id), None)

    async def get_by_email(self, email: str) -> User | None:
        return next((user for user in self.known if user.email == email), None)

    async def get_by_oauth_account(self, oauth: str, account_id: str) -> User | None:
        return next((u for u in self.known for a in u.oauth_accounts if a.account_id == account_id), None)

    async def create(self, create_dict: dict[str, Any]) -> User:
        self.known.append(User(**create_dict))
        return self.known[-1]

    async def add_oauth_account(self, user: User, create_dict: dict[str, Any]) -> User:
        user.oauth_accounts.append(SimpleNamespace(**create_dict))
        return user


class Manager(UUIDIDMixin, BaseUserManager[User, UUID]):
    pass


users = Manager(Users())
backend = AuthenticationBackend("cookie", CookieTransport(), lambda: JWTStrategy(SECRET, 600))
app = FastAPI()

# region sign-in
client = OpenID(
    os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], os.environ["ISSUER"] + "/.well-known/openid-configuration"
)
fastapi_users = FastAPIUsers[User, UUID](lambda: users, [backend])
app.include_router(
    fastapi_users.get_oauth_router(client, backend, SECRET, redirect_url=os.environ["REDIRECT_URI"]),
    prefix="/auth/openid",
)
# endregion


@app.get("/")
async def login() -> RedirectResponse:
    """What the script of the site does: it asks for the address, and goes there."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as script:
        answer = await script.get("/auth/openid/authorize")
    return RedirectResponse(answer.json()["authorization_url"], headers={"Set-Cookie": answer.headers["Set-Cookie"]})


@app.get("/me", response_class=HTMLResponse)
async def me(user: Annotated[User, Depends(fastapi_users.current_user())]) -> str:
    return f"Signed in as {user.email}"


uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning")
