"""What people and machines read: one versioned value (view.py), one file per format."""
