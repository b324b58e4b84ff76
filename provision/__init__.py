"""What a cluster is made of, how it is built and torn down, and what it may leave behind."""
