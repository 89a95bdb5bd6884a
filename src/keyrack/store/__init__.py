"""What must not be lost. Every finder takes the connection, then the workspace; `lookup` holds the few that cannot."""
