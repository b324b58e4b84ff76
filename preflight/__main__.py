"""`python -m preflight`."""

from preflight.cli.main import main

main()
