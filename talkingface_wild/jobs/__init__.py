"""Use cases: a request in, a result out, a Reporter told. What the command line, an app and a
notebook would each need stands here; nothing here prints or reads a command line.
"""
