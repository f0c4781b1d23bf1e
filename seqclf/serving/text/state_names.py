"""The names of outputs of an exported language model; no TensorFlow."""

from seqclf.data.text.token_spec import TokenSpec


def state_names(count: int) -> list[str]:
    """Returns the names of the states, `state_1` first.

    Args:
        count: number of states: one for each recurrent layer, two for each LSTM.
    """
    return [f"state_{number}" for number in range(1, count + 1)]


def output_name(output: str, spec: TokenSpec) -> str:
    """Returns the name of an output of strings: `text`, or `text_bytes`.

    Bytes need not be text, and REST writes an output as base64 if its name ends in `_bytes`.

    Args:
        output: the name without an ending.
        spec: how a text becomes tokens.
    """
    return f"{output}_bytes" if spec.kind == "bytes" else output
