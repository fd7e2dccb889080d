"""Settings of a Huawei Cloud connection: what is wrong is told with its key and its remedy."""

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from plugins.huaweicloud.settings import HuaweiCloudSettings

PROJECT = "0123456789abcdef0123456789abcdef"
KEYS = {"access_key": "AK", "secret_key": "made-up"}
USER = {"user_name": "bot", "password": "made-up", "domain_name": "account"}
PLACE = {"project_id": PROJECT, "region": "cn-north-4"}


class Settings(HuaweiCloudSettings):
    """Of some service."""

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
def test_one_whole_way_to_sign_in_is_enough(credentials: dict[str, str]) -> None:
    """Keys, a user, or a token; each with what belongs to it."""
    assert Settings(**PLACE, **credentials)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (PLACE, "Credentials are missing: set access_key and secret_key"),
        (PLACE | {"access_key": "AK"}, "secret_key is missing"),
        (PLACE | {"secret_key": "x"}, "access_key is missing"),
        (PLACE | {"user_name": "bot"}, "password is missing"),
        (PLACE | {"user_name": "bot", "password": "x"}, "domain_name is missing"),
        (PLACE | KEYS | {"token": "x"}, "access_key and token are both set: keep one"),
        (PLACE | KEYS | USER, "access_key and user_name are both set: keep one"),
        (PLACE | USER | {"security_token": "x"}, "security_token is only for access_key"),
        (PLACE | KEYS | {"iam_endpoint": "https://i"}, "iam_endpoint is only for user_name"),
        ({"project_id": PROJECT} | KEYS, "region is missing"),
        ({"project_id": PROJECT, "endpoint": "https://h"} | USER, "iam_endpoint is missing"),
        (PLACE | KEYS | {"project_id": "cn-north-4"}, "project_id must be 32 hexadecimal"),
        (PLACE | KEYS | {"region": "Beijing"}, "region must be a region's ID"),
        (PLACE | KEYS | {"endpoint": "h.example.com"}, "an endpoint must be an address"),
        (PLACE | KEYS | {"endpoint": "https://me:pw@h"}, "an endpoint must be an address"),
        (PLACE | KEYS | {"endpoint": "https://h:port"}, "an endpoint must be an address"),
        (PLACE | KEYS | {"console_url": "h/{id}"}, "console_url must begin with https://"),
        (PLACE | KEYS | {"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_a_problem_is_told_with_its_key_and_its_remedy(given: dict[str, Any], told: str) -> None:
    """The sentence says what to do."""
    with pytest.raises(ValidationError) as caught:
        Settings(**given)
    assert told in str(caught.value)
    assert "made-up" not in str(caught.value)


def test_a_region_names_the_host() -> None:
    """Nobody has to know addresses by heart."""
    assert Settings(**PLACE, **KEYS).base_url == "https://cph.cn-north-4.myhuaweicloud.com"
    assert Settings(**PLACE, **USER).iam_url == "https://iam.cn-north-4.myhuaweicloud.com"


def test_the_european_cloud_has_its_own_domain() -> None:
    """Regions of the European cloud begin with eu-."""
    settings = Settings(**PLACE | {"region": "eu-west-101"}, **KEYS)
    assert settings.base_url == "https://cph.eu-west-101.myhuaweicloud.eu"


def test_an_endpoint_wins_over_the_region() -> None:
    """A proxy or a private cloud stands elsewhere; a slash at the end does not matter."""
    settings = Settings(**PLACE, **KEYS, endpoint="https://proxy.example.com/cph/")
    assert settings.base_url == "https://proxy.example.com/cph"
    assert settings.home_region == "cn-north-4"


def test_an_endpoint_of_the_cloud_names_its_region() -> None:
    """So IAM and the console are found without a second setting."""
    endpoint = "https://cph.ap-southeast-3.myhuaweicloud.com"
    settings = Settings(project_id=PROJECT, endpoint=endpoint, **USER)
    assert settings.iam_url == "https://iam.ap-southeast-3.myhuaweicloud.com"
