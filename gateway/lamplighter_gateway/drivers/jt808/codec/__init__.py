"""JT/T 808-2011/2013/2019 without input or output: bytes in, values out, and back.

`framing` finds frames in a stream, `frame` takes a frame apart, `fragments` joins long messages, `location` reads the
position report fast, `messages` reads and writes every other body by its layout.
"""
