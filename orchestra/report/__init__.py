"""Findings and plans as text, JSON, GitHub annotations and SARIF: strings out, no printing, no environment."""
