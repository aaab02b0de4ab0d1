"""Analytics: what people really do, counted from events: graphs, funnels, retention, attribution."""
