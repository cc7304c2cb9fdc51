"""TAB in bash, zsh and fish: the scripts that the shells source, and the answers that they ask this program for.

A script runs `orchestra` with `_ORCHESTRA_COMPLETE` set to the shell's name and the words of the line as arguments.
What is printed is text to the shell, of which nothing is ever evaluated. No database is asked, and nothing is
written.
"""
