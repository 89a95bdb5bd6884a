"""State whose loss lies to nobody: what is counted, for as long as it matters."""
