"""The steps of a pipeline, as `orchestra ci` runs them: other commands one after another, their reports as files, and
what the runner wants to know."""
