"""Atrium: a small customer-operations workspace, and the example of a product that is built on Keyrack's public names."""
