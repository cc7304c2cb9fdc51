"""Many databases with one spec: what became of each, which is begun next, which plans are alike, and one exit code.

Pure: the shell gives what runs a database and says when it has ended.
"""
