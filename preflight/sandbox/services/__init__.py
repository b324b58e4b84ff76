"""What is missing of the other services, a file each."""
