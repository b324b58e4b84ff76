"""botocore's descriptions of AWS's services, each read once: for moto, for us, and for our client.

That of EC2 alone takes longer to read than an account takes to fill.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def loader() -> Any:
    """Give the one reader of descriptions, and let moto use it as well; a loader of botocore's."""
    import moto.core.base_backend as backends
    import moto.core.utils as readers

    one = readers.create_loader()  # type: ignore[attr-defined]
    vars(readers)["create_loader"] = lambda: one
    vars(backends)["Session"] = _of_boto3
    return one


@cache
def _of_boto3() -> Any:
    """Give what boto3 calls a session; moto asks it for the names of Regions.

    One alone: each adds boto3's own methods to the clients of the session below, once more.
    """
    import boto3.session

    return boto3.session.Session(botocore_session=session())


@cache
def session() -> Any:
    """Give a session of botocore's for clients of our own, with what is read already."""
    made = _plain_session()
    made.register_component("data_loader", loader())
    return made


@cache
def session_of_s3() -> Any:
    """Give one that reads for itself: as it makes a client of S3, botocore rewrites its paths.

    Moto finds operations by the paths as they are in the description.
    """
    return _plain_session()


def _plain_session() -> Any:
    """Make a session that knows nothing of the user's profiles, which are for the real AWS."""
    import botocore.session

    unset = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    return botocore.session.Session(
        session_vars={"profile": unset, "config_file": nowhere, "credentials_file": nowhere}
    )


def service_model(service: str) -> Any:
    """Give the model of a service, by the name of its client; raises UnknownServiceError."""
    from moto.core.utils import get_service_model

    loader()
    return get_service_model(service)


@contextmanager
def reading() -> Iterator[None]:
    """Look for no garbage meanwhile: what is read here stays, and looking takes as long again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def sharing() -> Iterator[None]:
    """Let sessions that moto makes meanwhile, in this thread, take what is read already.

    As it is imported, moto's EC2 makes three to ask for the names of Regions, and each would read
    the description of EC2 for itself.
    """
    import boto3

    module: Any = boto3
    original, importer = module.Session, threading.get_ident()

    def make(*given: Any, **options: Any) -> Any:
        if threading.get_ident() == importer and not given and not options:
            return _of_boto3()
        return original(*given, **options)

    module.Session = make
    try:
        yield
    finally:
        module.Session = original
