"""What is kept for other processes: the folders, and files in them that are whole or not there.

In: the environment, a name, bytes. Out: the bytes again. Uses nothing of the other rooms.
"""
