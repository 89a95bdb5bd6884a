"""Keyrack: the “Settings → API & Webhooks” of a SaaS product, in one package."""
