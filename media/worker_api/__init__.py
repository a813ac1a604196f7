"""The signed HTTP interface that workers report to."""
