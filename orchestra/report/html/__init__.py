"""A plan or a difference as one self-contained page of HTML."""
