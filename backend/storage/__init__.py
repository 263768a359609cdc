"""Tables and engine for SQLite and PostgreSQL. It knows no rule of the business."""
