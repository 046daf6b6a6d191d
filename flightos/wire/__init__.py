"""Bytes to records and back: space packets, bundles, link frames, the authentication field.

Every decoder is total: any bytes give a record or a `DecodeError`. An encoder raises `EncodeError` only for a
record that our own code should never have made.
"""
