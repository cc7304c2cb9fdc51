"""Findings and plans as text, JSON, annotations and SARIF: strings out, nothing printed."""
