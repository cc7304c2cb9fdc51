"""`orchestra dev`: the whole loop on one machine.

place      which folders, and which database: the embedded one or a running Supabase stack
session    from start to stop; what is saved is taken up
road       check, plan, apply, compile, as often as it takes
functions  Deno and the secrets by which the database finds it
stopping   Ctrl-C once and twice, SIGTERM, a closed terminal
diary      what the session itself has to say
"""
