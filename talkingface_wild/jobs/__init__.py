"""Use cases: a request in, a result out, a reporter told. What a command line, an app and a
notebook would need alike stands here; a job prints nothing.
"""
