"""botocore's descriptions are read once, for whoever asks."""

from __future__ import annotations

from preflight.sandbox import models
from preflight.sandbox.server import Sandbox


def test_a_client_can_be_made_however_often_moto_has_asked_for_a_session(sandbox: Sandbox) -> None:
    import moto.core.base_backend as backends

    models.loader()
    for _ in range(2):
        assert backends.Session() is not None
    made = models.session().create_client(
        "s3", region_name=sandbox.region, endpoint_url=sandbox.endpoint
    )
    assert made.meta.service_model.service_name == "s3"
    made.close()
