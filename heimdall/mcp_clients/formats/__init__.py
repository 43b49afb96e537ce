"""The formats of configuration files, one module each: `read`, `put` and `remove`, text in, text out.

Each changes what stands at one path of keys and leaves every other character, and each may be
wrong about a text that nobody has thought of: `documents` compares what was before with what came
out.
"""
