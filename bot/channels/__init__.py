"""What each channel hears: decided, kept back, told later, explained, and changed."""
