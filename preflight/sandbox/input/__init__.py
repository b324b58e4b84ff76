"""What comes in, held against botocore's models as AWS holds it."""
