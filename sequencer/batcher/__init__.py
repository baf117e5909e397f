"""The batch poster: L2 blocks into channels, channels into frames, frames into L1 transactions, followed until safe."""
