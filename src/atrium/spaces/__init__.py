"""What lies in spaces: messages and items."""
