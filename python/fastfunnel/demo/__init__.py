"""The demo: real text, real Matryoshka embeddings, and a table measured on this machine.

Nothing here is imported by the library itself; `fastfunnel demo` and `fastfunnel search` use it.
"""
