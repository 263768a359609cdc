"""Tables and engine over SQLCipher files. It knows no rule of the business."""
