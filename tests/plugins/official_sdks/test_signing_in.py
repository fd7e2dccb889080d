"""Huawei Cloud's official SDKs sign in as the bot does: the same signatures and tokens."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.sdk.clock import SystemClock
from bot.sdk.testing import connected, serve
from plugins.huaweicloud.signing import Keys, canonical_url, signed_headers
from plugins.servicestage import ServiceStage

pytestmark = [
    pytest.mark.official_sdks,
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
]


async def test_token_requests_are_the_same(sdk: Any, servicestage: Any) -> None:
    """The SDK reads the response of the simulated IAM, too."""
    gate, iam = servicestage.simulator.gateway, sdk.iam
    async with serve(servicestage.simulator.app) as url:
        client = sdk.client(iam.IamClient, servicestage.simulator, url)
        theirs = await asyncio.to_thread(
            client.keystone_create_user_token_by_password, _token_request(iam, gate.tenant)
        )
        client.close()
        user = {"endpoint": url, **gate.tenant.user_settings(url)}
        async with connected(ServiceStage, user, SystemClock()) as bot:
            await bot.check()
    assert theirs.x_subject_token == "made-up-token-1"
    requests = [call for call in servicestage.simulator.calls if "/auth/tokens" in call.path]
    assert len({call.path for call in requests}) == 1
    assert json.loads(requests[0].body) == json.loads(requests[1].body)


def _token_request(iam: Any, tenant: Any) -> Any:
    """Return the SDK's token request for the simulator's user."""
    domain = iam.PwdPasswordUserDomain(name=tenant.domain_name)
    user = iam.PwdPasswordUser(domain=domain, name=tenant.user_name, password=tenant.password)
    identity = iam.PwdIdentity(methods=["password"], password=iam.PwdPassword(user=user))
    scope = iam.AuthScope(project=iam.AuthScopeProject(id=tenant.project_id))
    body = iam.KeystoneCreateUserTokenByPasswordRequestBody(
        auth=iam.PwdAuth(identity=identity, scope=scope)
    )
    return iam.KeystoneCreateUserTokenByPasswordRequest(nocatalog="true", body=body)


HOST = "cph.cn-north-4.myhuaweicloud.com"
TIMESTAMP = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
_letters = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/")
# The SDK decodes an encoded slash, so ids with slashes are rejected before they are sent.
_words = st.text(_letters, min_size=1, max_size=12).filter(lambda word: word not in (".", ".."))


@settings(max_examples=200)
@given(
    ids=st.lists(_words, min_size=1, max_size=3),
    query=st.lists(st.tuples(_words, st.text(_letters, max_size=12)), max_size=4),
    body=st.binary(max_size=40),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    token=st.sampled_from(["", "made-up-security-token"]),
)
def test_signatures_are_the_same(
    sdk: Any, ids: list[str], query: list[tuple[str, str]], body: bytes, method: str, token: str
) -> None:
    """200 requests with any ids, queries and bodies."""
    keys = Keys("AK", SecretStr("SK"), SecretStr(token), "0123456789abcdef0123456789abcdef")
    path = "/v1/" + "/".join(quote(id_, safe="") for id_ in ids)
    url = canonical_url(httpx.URL(f"https://{HOST}{path}", params=query or None))
    ours = signed_headers(method, url, HOST, body, keys=keys, at=TIMESTAMP)
    theirs = sdk.request(
        method=method,
        host=HOST,
        resource_path=url.raw_path.decode().partition("?")[0],
        query_params=query,
        header_params={"Host": HOST, **{k: v for k, v in ours.items() if k != "Authorization"}},
        body=body,
    )
    sdk.signer(sdk.credentials.BasicCredentials("AK", "SK", "")).sign(theirs)
    assert theirs.header_params["Authorization"] == ours["Authorization"]
    assert theirs.uri == url.raw_path.decode()
