"""Sessions of boto3: where credentials come from, and how their clients behave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
import botocore.exceptions
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from preflight import errors

CONFIG = Config(
    # One attempt: retries are made here, where it is known which calls may be repeated. botocore
    # would repeat a CreateVpc whose answer got lost, and takes a used-up quota for throttling.
    retries={"total_max_attempts": 1, "mode": "standard"},
    # What answers, answers within seconds; a plan of hundreds of calls waits for each silent one.
    connect_timeout=5,
    read_timeout=20,
    max_pool_connections=32,
    user_agent_extra="preflight",
)
_LIST_PROFILES = "`aws configure list-profiles` lists them"


def session_of(profile: str | None = None) -> boto3.Session:
    """Make a session that speaks to regional STS endpoints, whatever the environment says.

    Raises `UsageError` for a profile that is not there.
    """
    try:
        return boto3.Session(botocore_session=_core(profile))
    except botocore.exceptions.ProfileNotFound as error:
        raise errors.UsageError(str(error), _LIST_PROFILES) from error


def _core(profile: str | None = None) -> botocore.session.Session:
    core = botocore.session.Session(profile=profile)
    core.set_config_variable("sts_regional_endpoints", "regional")
    core.register_component("data_loader", _descriptions(core.get_config_variable("data_path")))
    return core


@cache
def _descriptions(data_path: str | None) -> botocore.loaders.Loader:
    """Read botocore's descriptions of services once, for all accounts and Regions of a run."""
    return botocore.loaders.create_loader(data_path)


@cache
def pagings(service: str) -> Mapping[str, dict[str, Any]]:
    """Say how each operation of a service is paged, by its name; those without pages are absent."""
    data_path = botocore.session.Session().get_config_variable("data_path")
    try:
        model = _descriptions(data_path).load_service_model(service, "paginators-1")
    except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
        return {}
    pages: Mapping[str, dict[str, Any]] = model["pagination"]
    return pages


def renewable(granted: Mapping[str, Any]) -> dict[str, str]:
    """Put what AssumeRole grants into the form of botocore's credentials that renew themselves."""
    credentials = granted["Credentials"]
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "token": credentials["SessionToken"],
        "expiry_time": credentials["Expiration"].isoformat(),
    }


def session_with(credentials: RefreshableCredentials) -> boto3.Session:
    """Make a session whose credentials renew themselves."""
    session = _core()
    # botocore has no public way to hand in credentials that renew themselves.
    session._credentials = credentials  # noqa: SLF001
    return boto3.Session(botocore_session=session)


def configured_region(profile: str | None) -> str | None:
    """Read the Region of a profile of the AWS configuration, as every AWS tool does."""
    try:
        region: str | None = boto3.Session(profile_name=profile).region_name
    except botocore.exceptions.ProfileNotFound as error:
        raise errors.UsageError(str(error), _LIST_PROFILES) from error
    return region
