"""What the end-to-end tests and the benchmark share: a private stack, devices, a proxy, and patience."""
