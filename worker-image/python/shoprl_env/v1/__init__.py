"""Generated from the .proto files by `worker-image/python/generate`; e2e/environment/check verifies it."""
