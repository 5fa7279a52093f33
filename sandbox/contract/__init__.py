"""The contract: loads `schemas/`, knows the operations, validates. Knows neither HTTP servers nor state."""

from sandbox.contract.document import Contract, load
from sandbox.contract.json import Document, InvalidJson, decode, encode
from sandbox.contract.operations import Operation
from sandbox.contract.validation import Validator, Violation

__all__ = ["Contract", "Document", "InvalidJson", "Operation", "Validator", "Violation", "decode", "encode", "load"]
