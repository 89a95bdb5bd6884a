"""Atrium: a small customer-operations workspace, built on nothing but the public names of Keyrack."""
