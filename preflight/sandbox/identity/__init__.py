"""Who asks, whether they may, and IAM, STS and the simulator that tell of it."""
