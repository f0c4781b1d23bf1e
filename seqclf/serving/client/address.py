"""URLs of models; see `seqclf.client.address`."""

from seqclf.client.address import Address as Address
from seqclf.client.address import parse_address as parse_address
