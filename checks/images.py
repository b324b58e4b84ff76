"""Does each node group's image fit the accelerators and the processor of its instance types?"""

from __future__ import annotations

from collections.abc import Iterator

from preflight.check import Answer, Context
from preflight.facts import InstanceType
from preflight.finding import Status

#: Images with drivers for GPUs.
#: https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
ACCELERATED_IMAGES = ("NVIDIA", "GPU")
#: AWS's own accelerators, by the beginning of the type's name, and the image with their drivers.
NEURON_TYPES, NEURON_IMAGE = ("inf", "trn"), "NEURON"


def images(context: Context) -> Iterator[Answer]:
    """Hold each node group's image to the accelerators and the processor of its types."""
    for group in context.plan.resources:
        if group.kind != "eks/nodegroup":
            continue
        image = str(group.parameters.get("ami_type", ""))
        for name in group.parameters.get("instance_types", ()):
            known = context.facts.instance_types.get(name)
            if known is not None and image and (wrong := _mismatch(image, known)):
                yield Answer(
                    status=Status.FAIL,
                    subject=f"{group.address} image",
                    message=f"{group.address} has {name} with image {image}: {wrong}",
                    hint="choose another type, or another image for the node group",
                    data={"type": name, "image": image, "gpus": known.gpus},
                )


def _mismatch(image: str, known: InstanceType) -> str | None:
    if image == "CUSTOM":
        return None  # what is in it, nobody here knows
    drivers = any(word in image for word in ACCELERATED_IMAGES)
    if known.gpus and not drivers:
        return f"it has {known.gpus} GPUs, which this image has no drivers for"
    if drivers and not known.gpus:
        return "it has no GPU, and the image is for those that do"
    is_neuron = known.name.startswith(NEURON_TYPES)
    if is_neuron is not (NEURON_IMAGE in image):
        return (
            "it has accelerators of AWS's, which this image has no drivers for"
            if is_neuron
            else "it has none of AWS's accelerators, and the image is for those that do"
        )
    wanted = "arm64" if "ARM_64" in image else "x86_64"
    if known.architectures and wanted not in known.architectures:
        return f"the image is for {wanted}, and the type is {', '.join(known.architectures)}"
    return None
