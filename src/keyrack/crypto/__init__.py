"""The only place where secrets are made, read or signed."""
