"""Service Quotas, and limits that bite."""
