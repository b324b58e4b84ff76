"""The embedded AWS: moto plus what it lacks, spoken to over HTTP by unmodified clients."""
