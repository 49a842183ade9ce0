"""qcodec: small neural-network weights, given back at memory speed."""
