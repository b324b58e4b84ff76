"""An account: described in a file, filled, compared before and after."""
