"""What trucks do, judged fix by fix over columns of the whole fleet. Pure: state and fixes in, violations out."""
