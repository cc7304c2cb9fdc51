"""Ledger rows become deployments, and a deployment the Program that it left behind. Pure."""
