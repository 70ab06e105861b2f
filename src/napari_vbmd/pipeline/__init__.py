"""One patient, files in and files out: scan -> mask -> measurement -> report."""

from .folder import RESULTS
from .mask import PostProcessing, make_mask, mask_log
from .mask_report import check_report_paths, write_mask_report
from .patient import PatientRun, run_patient
from .stages import Stages

__all__ = [
    "RESULTS",
    "PatientRun",
    "PostProcessing",
    "Stages",
    "check_report_paths",
    "make_mask",
    "mask_log",
    "run_patient",
    "write_mask_report",
]
