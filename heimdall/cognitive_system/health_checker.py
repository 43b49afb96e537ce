"""The public name of the check of the shared directories; the doctor does the work."""

from heimdall.doctor.examination import check_data_directories

__all__ = ["check_data_directories"]
