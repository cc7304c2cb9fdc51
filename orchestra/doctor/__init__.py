"""Every prerequisite of background work, and how to mend the one that is missing: what `orchestra doctor` prints.

`ask` asks a database all that is needed, each question failing by itself; what is made of the answers is pure, a module
a group. Nothing is changed, and no secret's value is read but the address of the functions.
"""
