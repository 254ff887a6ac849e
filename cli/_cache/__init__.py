"""What is kept between runs: the folders, and files in them that are whole or not there.

In: the environment, a name, bytes. Out: the bytes again. Uses nothing of the other rooms.
"""
