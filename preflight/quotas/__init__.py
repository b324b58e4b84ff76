"""Quotas: which there are, how their use is counted, how they stand, and what to ask AWS for."""
