"""The official Python SDK with its own sign-in, over Streamable HTTP, or with --sse over HTTP+SSE.

Prints what it saw as one line of JSON.
"""

import argparse
import json
from typing import Any

from lib.connected import VERSION, connected
from lib.run import check, claims, run, step
from lib.sign_in import SignIn

# The oldest revision whose results have structured content.
STRUCTURED = "2025-06-18"


async def call(client: Any, name: str, **arguments: Any) -> Any:
    step(f"calling {name}")
    result = await client.call_tool(name, arguments)
    text = "\n".join(block.text for block in result.content if block.type == "text")
    if result.is_error:
        raise RuntimeError(f"{name} failed: {text}")
    structured = result.structured_content
    if structured is None and client.protocol_version < STRUCTURED:
        structured = {"sum": int(text)} if name == "add" else json.loads(text) if name == "getUserInfo" else None
    return structured, text


async def use(options: argparse.Namespace) -> dict[str, Any]:
    sign_in = SignIn(options.url, options.auth_method)
    step("connecting, which asks for a sign-in")
    async with connected(options.url, options.sse, options.mode, sign_in.provider) as client:
        step("listing the tools")
        tools = [tool.name for tool in (await client.list_tools()).tools]
        added, sum_text = await call(client, "add", a=2, b=3)
        check(added == {"sum": 5} and sum_text == "5", f"2 + 3 came out as {added} and {sum_text}")
        user, user_text = await call(client, "getUserInfo")
        check(user and user.get("sub"), f"getUserInfo names no one: {user}")
        _, token_text = await call(client, "getToken")
        scheme, _, token = token_text.rpartition(" ")
        check(token, "getToken gave no token")
        check(sign_in.logins == 1, f"the person had to sign in {sign_in.logins} times")
        first = sign_in.memory.tokens
        check(first and first.refresh_token, "no refresh token was issued")

        step("refreshing")
        sign_in.expire_access_token()
        added, _ = await call(client, "add", a=20, b=22)
        check(added == {"sum": 42}, f"after the refresh, 20 + 22 came out as {added}")
        check(sign_in.logins == 1, "the person had to sign in again although there was a refresh token")
        check(sign_in.memory.saves == 2, f"tokens were saved {sign_in.memory.saves} times instead of twice")
        second = sign_in.memory.tokens
        server = client.server_info
        return {
            "version": VERSION,
            "server": server.model_dump(mode="json", by_alias=True, exclude_none=True) if server else None,
            "protocol": client.protocol_version,
            "tools": tools,
            "add": sum_text,
            "getUserInfo": user_text,
            "getToken": "(not shown)",
            "user": user,
            "token": {"scheme": scheme or None, "claims": claims(token)},
            "scope": first.scope,
            "authMethod": sign_in.memory.client.token_endpoint_auth_method,
            "pages": sign_in.person.pages,
            "refreshed": {
                "accessToken": second.access_token != first.access_token,
                "refreshToken": second.refresh_token != first.refresh_token,
            },
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--sse", action="store_true")
    parser.add_argument("--mode", default="auto", help="auto, legacy, or a revision to insist on")
    parser.add_argument("--auth-method", help="register with this token_endpoint_auth_method")
    run(use, parser.parse_args())
