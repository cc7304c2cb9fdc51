"""The one log of `orchestra dev`: what happens in the database and in the functions, as lines for people.

changes → narrator     rows that were committed become events
functions              what an isolate or its handler says becomes events
crowd → journal        many that are alike become one; events become lines
follower               the thread that reads, narrates and writes
"""
