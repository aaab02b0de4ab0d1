"""Experiments: what each variant did to what people did afterwards, and how sure that is.

Exposures and events are read as for every question of analytics. A person counts once, by the first exposure;
what they did is measured in a window that begins with it, and only of those whose window is over."""
