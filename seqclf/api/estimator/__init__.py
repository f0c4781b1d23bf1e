"""`seqclf.SequenceClassifier`: the whole package as an estimator of scikit-learn."""
