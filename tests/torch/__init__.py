"""Training: methods that prune, share and round weights while a model learns."""
