"""What belongs to the machine as a whole: its shared directories and their state."""
