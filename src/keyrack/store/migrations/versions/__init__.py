"""The scripts, by branch."""
