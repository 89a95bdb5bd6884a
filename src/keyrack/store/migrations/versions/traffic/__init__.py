"""What is written with every call."""
