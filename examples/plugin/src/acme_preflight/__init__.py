"""What Acme asks of every cluster."""
