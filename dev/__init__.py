"""Development only, shipped to nobody: the simulated home and the commands that run the product from a checkout."""
