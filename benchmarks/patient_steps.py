"""The steps that both ways have, by one name each."""

PORT = "straight port"
STEPS = (
    "read",
    "sample",
    "network",
    "back to the scan's grid",
    "close holes",
    "measure",
    "mask file",
    "checksum",
    "figures",
)
# How the steps of a run are called by those who report its progress
OURS = {
    "segment: loading the network": "read",
    "segment: sampling the scan": "sample",
    "segment: back to the scan's grid": "back to the scan's grid",
    "post-process": "close holes",
}
