"""Check, build, tear down and sweep an EKS cluster in an AWS account that somebody pays for."""
