"""Classifies pictures or sequences with an exported model.

python -m seqclf.predict --model=models/mnist digit.png other.jpg
python -m seqclf.predict --model=models/mnist --json sequences.npz
"""

import json
import sys
from collections.abc import Sequence

from absl import flags

from seqclf import commands
from seqclf.errors import ConfigError

MODEL = flags.DEFINE_string("model", None, "EXPORT_DIR or EXPORT_DIR/<version>.", required=True)
INVERT = flags.DEFINE_bool("invert", False, "Swap dark and bright in pictures first.")
TOP = flags.DEFINE_integer("top", 3, "Classes to print for each example.", lower_bound=1)
JSON = flags.DEFINE_bool("json", False, "Print JSON instead of text.")


def main(argv: Sequence[str]) -> None:
    from seqclf.serving.predictor import Predictor, runners_up

    if len(argv) < 2:
        raise ConfigError("Name at least one PNG, JPEG or .npz file.")
    predictor = Predictor(MODEL.value)
    names = predictor.spec.class_names
    answers = [a for path in argv[1:] for a in predictor.predict_file(path, INVERT.value)]
    for path in argv[1:]:
        if not path.endswith(".npz") and (hint := predictor.polarity_hint(path, INVERT.value)):
            print(f"warning: {hint}", file=sys.stderr)
    if JSON.value:
        rows = [
            {
                "input": answer.source,
                "class_index": answer.class_index,
                "class_name": answer.class_name,
                "probability": float(answer.probabilities[answer.class_index]),
                "probabilities": dict(zip(names, map(float, answer.probabilities), strict=True)),
            }
            for answer in answers
        ]
        print(json.dumps(rows, indent=2))
        return
    width = max(len(answer.source) for answer in answers)
    for answer in answers:
        others = runners_up(answer, names, TOP.value - 1)
        rest = ", ".join(f"{name} {probability:.2%}" for name, probability in others)
        first = f"{answer.class_name}  {answer.probabilities[answer.class_index]:7.2%}"
        print(f"{answer.source:<{width}}  {first}" + (f"   then {rest}" if rest else ""))


if __name__ == "__main__":
    commands.run(main, arguments=True)
