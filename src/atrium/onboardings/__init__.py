"""Onboardings: how a customer gets started."""
