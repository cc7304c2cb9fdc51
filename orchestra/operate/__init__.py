"""What operators do to work that is going on: send it, stop it, look into it, bring it back. Each verb is one function
of the runtime, called in one transaction, and leaves its row in `orchestra.operator_log`."""
