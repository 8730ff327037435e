"""Is the checking right?"""
