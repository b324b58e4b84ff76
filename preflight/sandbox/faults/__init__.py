"""Trouble on purpose: errors, delays, broken connections, pages, and AWS's own lag."""
