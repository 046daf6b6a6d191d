"""CCSDS 123.0-B-2 beside C: what the coder can be told, its header, and the whole of it in plain Python.

`flightos.kernels.codecs` is the face. `choices`, `parameters` and `checks` say what may be asked for, `header` reads
and writes it, `native` hands it to C; `reference*` code and decode in Python, for nodes without C and for the tests.
"""
