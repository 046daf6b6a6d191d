"""The world: orbits, light, links, power, heat and radiation as functions of time and seed.

The half that does not depend on the nodes is computed once into a *geometry tape* (`tape_builder` writes
it, `tape` reads it without numpy); the half that does (charge, temperature, upsets) is stepped at 1 Hz by
`power`, `heat` and `radiation`, in integers or with + - * / only.
"""
