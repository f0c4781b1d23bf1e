"""The state of a version on the server; see `seqclf.client.status`."""

from seqclf.client.status import VersionStatus as VersionStatus
