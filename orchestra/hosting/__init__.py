"""The code host of a pull request: one comment for each report, found again by the report's first line and kept up to
date. Nothing here reads the environment, and no text that leaves it holds the token."""
