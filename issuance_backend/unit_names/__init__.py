"""What administrative units are called: the registry's map, for the officers' pages."""
