"""The questions asked before anything is built: one file per question, listed in builtin.py."""
