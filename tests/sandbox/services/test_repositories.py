"""Repositories of ECR: moto keeps and refuses as AWS does."""

from __future__ import annotations

import json
from typing import Any

Refusal = Any


def test_a_repository_stays_while_it_has_images_unless_forced(
    client: Any, refusal: Refusal
) -> None:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html"""
    ecr, at = client("ecr"), {"repositoryName": "app"}
    ecr.create_repository(**at)
    assert refusal(ecr.create_repository, **at)[:2] == ("RepositoryAlreadyExistsException", 400)
    ecr.put_image(
        **at,
        imageManifest=json.dumps({"schemaVersion": 2}),
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
        imageTag="t",
    )
    assert refusal(ecr.delete_repository, **at) == (
        "RepositoryNotEmptyException",
        400,
        "The repository with name 'app' in registry with id '111122223333' cannot be deleted"
        " because it still contains images",
    )
    ecr.delete_repository(**at, force=True)
    assert refusal(ecr.delete_repository, **at)[:2] == ("RepositoryNotFoundException", 400)
