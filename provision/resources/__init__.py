"""The kinds of AWS resource a plan is made of: one file per AWS service, listed in kinds.py."""
