"""scikit-learn's own checks of estimators; docs/python.md lists those that do not apply."""

import numpy as np
import pytest
from running import ROOT
from sklearn.utils.estimator_checks import check_classifiers_train, estimator_checks_generator

import seqclf

NOT_APPLIED = {
    "check_n_features_in": "features are those of a time step",
    "check_n_features_in_after_fitting": "features are those of a time step",
    "check_classifiers_train": "lists are of any lengths",
    "check_sample_weight_equivalence_on_dense_data": "batches are drawn at random",
    "check_methods_sample_order_invariance": "float32",
}
QUICK = {  # with few trainings, and different from our own tests; the others take minutes
    *("check_estimator_cloneable", "check_valid_tag_types", "check_estimator_repr"),
    *("check_no_attributes_set_in_init", "check_estimators_overwrite_params"),
    *("check_dont_overwrite_parameters", "check_estimators_unfitted", "check_mixin_order"),
    *("check_complex_data", "check_estimators_empty_data_messages", "check_estimator_sparse_array"),
    *("check_classifiers_one_label", "check_classifiers_regression_target", "check_fit2d_1sample"),
    *("check_parameters_default_constructible", "check_get_params_invariance", "check_set_params"),
    *("check_dict_unchanged", "check_fit1d", "check_requires_y_none", "check_supervised_y_no_nan"),
    *("check_all_zero_sample_weights_error", "check_classifier_data_not_an_array"),
}
CLASSIFIER = seqclf.SequenceClassifier(
    {"model.units": [8], "steps": 60, "optimizer.learning_rate": 0.02, "jit_compile": False}
)


def name_of(check):
    return getattr(check, "func", check).__name__


def checks():
    for estimator, check in estimator_checks_generator(CLASSIFIER, mark=None):
        name = name_of(check)
        marks = [] if name in QUICK else [pytest.mark.slow]
        if reason := NOT_APPLIED.get(name):
            # The last digits of float32 are the same on some machines.
            marks.append(pytest.mark.xfail(reason=reason, strict=reason != "float32"))
        yield pytest.param(estimator, check, marks=marks, id=name)


@pytest.mark.filterwarnings("ignore")  # what they try has many warnings of scikit-learn
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learn_s_check(estimator, check):
    check(estimator)


class OfArrays(seqclf.SequenceClassifier):
    """Takes a list for an array, so that other lengths are refused after it."""

    def fit(self, X, y):
        return super().fit(np.asarray(X), y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_check_classifiers_train_passes_but_for_lists():
    check_classifiers_train("OfArrays", OfArrays(CLASSIFIER.config))


def test_the_page_lists_those_that_do_not_apply():
    section = (ROOT / "docs" / "python.md").read_text().partition("## scikit-learn")[2]
    assert all(f"`{name}`" in section for name in NOT_APPLIED)
