"""Names and lengths of inputs; see `seqclf.client.sequences`."""

from seqclf.client.sequences import LENGTHS as LENGTHS
from seqclf.client.sequences import SEQUENCES as SEQUENCES
from seqclf.client.sequences import takes_lengths as takes_lengths
