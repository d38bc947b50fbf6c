"""What the Python SDK asks of an application that signs people in: memory, and a browser."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from lib.person import Person

try:
    from mcp.shared.auth import AuthorizationCodeResult
except ImportError:
    # Version 1 of the SDK takes the code and the state alone.
    AuthorizationCodeResult = None

# Nothing listens there: the person hands the address over instead of visiting it.
REDIRECT_URI = "http://127.0.0.1:47621/callback"


class Memory:
    """Keeps tokens and the registration for as long as the script runs."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None
        self.saves = 0

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.saves += 1
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class SignIn:
    """A person who signs in when the SDK wants them to."""

    def __init__(self, url: str, auth_method: str | None = None) -> None:
        self.person = Person()
        self.memory = Memory()
        self.logins = 0
        self._arrived = ""
        self.provider = OAuthClientProvider(
            server_url=url,
            client_metadata=OAuthClientMetadata(
                client_name="Python SDK",
                redirect_uris=[REDIRECT_URI],
                # Whatever the SDK registers by itself, unless one is asked for.
                **({"token_endpoint_auth_method": auth_method} if auth_method else {}),
            ),
            storage=self.memory,
            redirect_handler=self._redirect,
            callback_handler=self._callback,
        )

    def expire_access_token(self) -> None:
        """Lets the SDK believe that its access token has expired."""
        # Until 1.9 the provider itself keeps this.
        if context := getattr(self.provider, "context", None):
            context.token_expiry_time = time.time() - 1
        else:
            self.provider._token_expiry_time = time.time() - 1

    async def _redirect(self, url: str) -> None:
        self.logins += 1
        self._arrived = await self.person.authorize(url, REDIRECT_URI)

    async def _callback(self) -> Any:
        answer = {name: values[0] for name, values in parse_qs(urlsplit(self._arrived).query).items()}
        if "code" not in answer:
            raise RuntimeError(f"the sign-in ended with {answer.get('error')}: {answer.get('error_description')}")
        if AuthorizationCodeResult is None:
            return answer["code"], answer.get("state")
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))
