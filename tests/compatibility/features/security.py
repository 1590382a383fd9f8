"""The user guide's pages on security."""

import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security, status
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPDigest,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    OAuth2PasswordRequestFormStrict,
    OpenIdConnect,
    SecurityScopes,
)
from pydantic import BaseModel

from tests.compatibility.feature import feature, get, post

BEARER = {"Authorization": "Bearer token"}
BASIC = {"Authorization": "Basic YWRhOnNlY3JldA=="}  # ada:secret
FORM = {"username": "ada", "password": "secret"}


class User(BaseModel):
    username: str


@feature(
    "Security: OAuth2 password flow with a bearer token",
    post("/token", data=FORM),
    post("/token", data=FORM | {"grant_type": "password", "scope": "a b"}),
    post("/token", data=FORM | {"grant_type": "other"}),
    post("/token", data={"username": "ada", "password": "wrong"}),
    post("/token", data={"username": "ada"}),
    post("/strict", data=FORM | {"grant_type": "password"}),
    post("/strict", data=FORM),
    get("/me", headers=BEARER),
    get("/me", headers={"Authorization": "bearer token"}),
    get("/me", headers={"Authorization": "Basic token"}),
    get("/me", headers={"Authorization": "Bearer other"}),
    get("/me"),
    get("/openapi.json"),
)
def oauth2_password(app: FastAPI) -> None:
    scheme = OAuth2PasswordBearer(tokenUrl="token")

    async def current_user(token: Annotated[str, Depends(scheme)]) -> User:
        if token != "token":
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                detail="Could not validate credentials",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return User(username="ada")

    @app.post("/token")
    async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
        if form.password != "secret":
            raise HTTPException(400, "Incorrect username or password")
        return {"access_token": "token", "token_type": "bearer", "scopes": form.scopes}

    @app.post("/strict")
    async def strict(form: Annotated[OAuth2PasswordRequestFormStrict, Depends()]):
        return form.grant_type

    @app.get("/me")
    async def read_me(user: Annotated[User, Depends(current_user)]) -> User:
        return user


@feature(
    "Security: scopes",
    get("/me", headers={"Authorization": "Bearer me"}),
    get("/items", headers={"Authorization": "Bearer me"}),
    get("/items", headers={"Authorization": "Bearer me items"}),
    get("/items"),
    get("/status", headers={"Authorization": "Bearer x"}),
    get("/openapi.json"),
)
def scopes(app: FastAPI) -> None:
    scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "Me", "items": "Items"})

    async def current_user(
        wanted: SecurityScopes, token: Annotated[str, Depends(scheme)]
    ) -> dict[str, str]:
        challenge = f'Bearer scope="{wanted.scope_str}"' if wanted.scopes else "Bearer"
        if missing := set(wanted.scopes) - set(token.split()):
            raise HTTPException(
                401,
                f"Not enough permissions: {sorted(missing)}",
                headers={"WWW-Authenticate": challenge},
            )
        return {"scopes": wanted.scope_str}

    async def active_user(
        user: Annotated[dict[str, str], Security(current_user, scopes=["me"])],
    ) -> dict[str, str]:
        return user

    @app.get("/me")
    async def read_me(user: Annotated[dict[str, str], Depends(active_user)]):
        return user

    @app.get("/items")
    async def read_items(
        user: Annotated[dict[str, str], Security(active_user, scopes=["items"])],
    ):
        return user

    @app.get("/status")
    async def read_status(user: Annotated[dict[str, str], Depends(current_user)]):
        return user


@feature(
    "Security: HTTP Basic",
    get("/me", headers=BASIC),
    get("/me", headers={"Authorization": "Basic YWRhOndyb25n"}),
    get("/me", headers={"Authorization": "Basic !"}),
    get("/me", headers={"Authorization": "Basic YWRh"}),
    get("/me", headers=BEARER),
    get("/me"),
    get("/realm"),
    get("/optional"),
    get("/optional", headers=BASIC),
)
def basic(app: FastAPI) -> None:
    scheme = HTTPBasic()
    with_realm = HTTPBasic(realm="simple")
    optional = HTTPBasic(auto_error=False)

    @app.get("/me")
    async def read_me(credentials: Annotated[HTTPBasicCredentials, Depends(scheme)]):
        if not secrets.compare_digest(credentials.password.encode(), b"secret"):
            raise HTTPException(401, "Incorrect", headers={"WWW-Authenticate": "Basic"})
        return credentials.username

    @app.get("/realm")
    def realm(credentials: Annotated[HTTPBasicCredentials, Security(with_realm)]):
        return credentials

    @app.get("/optional")
    async def read_optional(
        credentials: Annotated[HTTPBasicCredentials | None, Depends(optional)],
    ):
        return {"user": credentials and credentials.username}


@feature(
    "Security: API keys in header, query and cookie",
    get("/header", headers={"X-Key": "k"}),
    get("/header"),
    get("/query", params={"api_key": "k"}),
    get("/query"),
    get("/cookie", headers={"Cookie": "session=k"}),
    get("/cookie"),
    get("/optional"),
    get("/optional", headers={"X-Key": "k"}),
    get("/either", params={"api_key": "q"}),
    get("/openapi.json"),
)
def api_keys(app: FastAPI) -> None:
    header = APIKeyHeader(name="X-Key")
    optional_header = APIKeyHeader(name="X-Key", auto_error=False)
    query = APIKeyQuery(name="api_key")
    optional_query = APIKeyQuery(name="api_key", auto_error=False)
    cookie = APIKeyCookie(name="session", description="A cookie")

    @app.get("/header")
    async def read_header(key: Annotated[str, Security(header)]):
        return key

    @app.get("/query")
    async def read_query(key: Annotated[str, Depends(query)]):
        return key

    @app.get("/cookie")
    async def read_cookie(key: Annotated[str, Depends(cookie)]):
        return key

    @app.get("/optional")
    async def read_optional(key: Annotated[str | None, Depends(optional_header)]):
        return {"key": key}

    @app.get("/either")
    async def read_either(
        one: Annotated[str | None, Depends(optional_header)],
        other: Annotated[str | None, Depends(optional_query)],
    ):
        return one or other


@feature(
    "Security: HTTP Bearer and Digest",
    get("/bearer", headers=BEARER),
    get("/bearer", headers={"Authorization": "Bearer"}),
    get("/bearer", headers=BASIC),
    get("/bearer"),
    get("/optional"),
    get("/digest", headers={"Authorization": "Digest abc"}),
    get("/digest", headers=BEARER),
)
def bearer(app: FastAPI) -> None:
    @app.get("/bearer")
    async def read_bearer(
        credentials: Annotated[HTTPAuthorizationCredentials, Security(HTTPBearer())],
    ):
        return {"scheme": credentials.scheme, "credentials": credentials.credentials}

    @app.get("/optional")
    async def read_optional(
        credentials: Annotated[
            HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))
        ],
    ):
        return {"credentials": credentials}

    @app.get("/digest")
    async def read_digest(
        credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPDigest())],
    ):
        return credentials


@feature(
    "Security: OpenID Connect and the authorization code flow",
    get("/openid", headers=BEARER),
    get("/openid"),
    get("/code", headers=BEARER),
    get("/code"),
    get("/openapi.json"),
)
def openid(app: FastAPI) -> None:
    connect = OpenIdConnect(openIdConnectUrl="/openid")
    code = OAuth2AuthorizationCodeBearer(authorizationUrl="/authorize", tokenUrl="/token")

    @app.get("/openid")
    async def read_openid(header: Annotated[str, Security(connect)]):
        return header

    @app.get("/code")
    async def read_code(token: Annotated[str, Security(code, scopes=["read"])]):
        return token
