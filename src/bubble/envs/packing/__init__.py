"""An environment with its interpreter as one archive, which runs wherever it is unpacked.

A pack is laid out as an interpreter is: `bin/python`, and the environment's packages in the
interpreter's own site-packages. So nothing in it has to be told where it lies: CPython finds its
prefix from its executable, scripts find the interpreter beside themselves. There is no
`pyvenv.cfg`, whose `home` would be one machine's.
"""
