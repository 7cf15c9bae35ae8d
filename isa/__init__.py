"""What machines and binaries look like: registers, decoding, the meaning of instructions, formats.

Floor 0 of the house: nothing here imports another room.
"""
