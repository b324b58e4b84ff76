"""Kinds a cluster leaves behind although nobody planned them: found and deleted, never created."""
