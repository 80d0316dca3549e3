"""The catalogue of faults as data: what each looks like, how urgent it is, who does what, with which part."""
