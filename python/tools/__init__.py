"""What keeps the records of this folder: the lock of the wheels, the list of the interface."""
