"""Derivation: from L1 blocks to L2 payload attributes (specs protocol/derivation.md).

Stages, each pulling from the one before:

1. L1Traversal      l1_traversal.py     the next L1 block, and the system config as of it
2. L1Retrieval      l1_retrieval.py     its batcher transactions: calldata and blobs
3. FrameQueue       frame_queue.py      their frames
4. ChannelBank      channel_bank.py     frames to channels; from Holocene ChannelAssembler, channel_assembler.py
5. ChannelReader    channel_reader.py   channels to batches
6. BatchQueue       batch_queue.py      batches in order; from Holocene BatchStage, batch_stage.py
7. AttributesQueue  attributes_queue.py batches to payload attributes

Codecs stand apart: frames.py, compression.py, batches.py, span_batches.py. `driver.py` gives attributes to an engine.
"""
