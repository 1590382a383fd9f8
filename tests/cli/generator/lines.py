TARGETS = {"item": "items", "customer": "customers", "user": "users"}
"""The entities that a test's line may refer to."""
