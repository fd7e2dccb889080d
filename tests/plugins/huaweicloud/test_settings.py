"""Huawei Cloud settings: each error names its key and the fix."""

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from plugins.huaweicloud.settings import HuaweiCloudSettings

PROJECT = "0123456789abcdef0123456789abcdef"
KEYS = {"access_key": "AK", "secret_key": "made-up"}
USER = {"user_name": "bot", "password": "made-up", "domain_name": "account"}
LOCATION = {"project_id": PROJECT, "region": "cn-north-4"}


class Settings(HuaweiCloudSettings):
    """Settings of an example service."""

    service: ClassVar[str] = "cph"


@pytest.mark.parametrize(
    "credentials",
    [
        KEYS,
        KEYS | {"security_token": "x"},
        USER,
        USER | {"iam_endpoint": "https://i"},
        {"token": "x"},
    ],
)
def test_one_sign_in_method_is_enough(credentials: dict[str, str]) -> None:
    """An access key, a user, or a token, each with its required keys."""
    assert Settings(**LOCATION, **credentials)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (LOCATION, "Credentials are missing: set access_key and secret_key"),
        (LOCATION | {"access_key": "AK"}, "secret_key is missing"),
        (LOCATION | {"secret_key": "x"}, "access_key is missing"),
        (LOCATION | {"user_name": "bot"}, "password is missing"),
        (LOCATION | {"user_name": "bot", "password": "x"}, "domain_name is missing"),
        (LOCATION | KEYS | {"token": "x"}, "access_key and token are both set: keep one"),
        (LOCATION | KEYS | USER, "access_key and user_name are both set: keep one"),
        (LOCATION | USER | {"security_token": "x"}, "security_token is only for access_key"),
        (LOCATION | KEYS | {"iam_endpoint": "https://i"}, "iam_endpoint is only for user_name"),
        ({"project_id": PROJECT} | KEYS, "region is missing"),
        ({"project_id": PROJECT, "endpoint": "https://h"} | USER, "iam_endpoint is missing"),
        (LOCATION | KEYS | {"project_id": "cn-north-4"}, "project_id must be 32 hexadecimal"),
        (LOCATION | KEYS | {"region": "Beijing"}, "region must be a region's ID"),
        (LOCATION | KEYS | {"endpoint": "h.example.com"}, "an endpoint must be an address"),
        (LOCATION | KEYS | {"endpoint": "https://me:pw@h"}, "an endpoint must be an address"),
        (LOCATION | KEYS | {"endpoint": "https://h:port"}, "an endpoint must be an address"),
        (LOCATION | KEYS | {"console_url": "h/{id}"}, "console_url must begin with https://"),
        (LOCATION | KEYS | {"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_problem_names_its_key_and_the_fix(given: dict[str, Any], expected: str) -> None:
    """The sentence says what to do."""
    with pytest.raises(ValidationError) as caught:
        Settings(**given)
    assert expected in str(caught.value)
    assert "made-up" not in str(caught.value)


def test_region_determines_the_host() -> None:
    """The address needs no setting of its own."""
    assert Settings(**LOCATION, **KEYS).base_url == "https://cph.cn-north-4.myhuaweicloud.com"
    assert Settings(**LOCATION, **USER).iam_url == "https://iam.cn-north-4.myhuaweicloud.com"


def test_european_regions_use_their_own_domain() -> None:
    """Their names begin with eu-."""
    settings = Settings(**LOCATION | {"region": "eu-west-101"}, **KEYS)
    assert settings.base_url == "https://cph.eu-west-101.myhuaweicloud.eu"


def test_endpoint_takes_precedence_over_region() -> None:
    """It may be a proxy or a private cloud; a trailing slash is ignored."""
    settings = Settings(**LOCATION, **KEYS, endpoint="https://proxy.example.com/cph/")
    assert settings.base_url == "https://proxy.example.com/cph"
    assert settings.home_region == "cn-north-4"


def test_cloud_endpoint_determines_the_region() -> None:
    """IAM and the console then need no second setting."""
    endpoint = "https://cph.ap-southeast-3.myhuaweicloud.com"
    settings = Settings(project_id=PROJECT, endpoint=endpoint, **USER)
    assert settings.iam_url == "https://iam.ap-southeast-3.myhuaweicloud.com"
