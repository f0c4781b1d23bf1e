"""The form of a JSON document: what it is made of, without its values."""


def form(document):
    """Returns what a document is made of: keys, levels of lists, numbers or text."""
    if isinstance(document, dict):
        return {key: form(value) for key, value in document.items()}
    if isinstance(document, list):
        return [form(document[0])]
    return "text" if isinstance(document, str) else "number"
