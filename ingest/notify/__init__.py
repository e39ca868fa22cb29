"""Who is told: a heartbeat, messages to people, and Home Assistant by MQTT."""
