"""What the system tests share: real nodes, a receiver for webhooks, a small HTTP client. Python's standard library only."""
