"""A grown random forest as plain arrays: where its trees split, and which training years are in which leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

LEAF = -1


@dataclass(frozen=True)
class Forest:
    """All trees' nodes one after the other, and the weight of each training sample in each leaf.

    Attributes
    ----------
    roots : ndarray of shape (tree,)
        Each tree's first node.
    left, right : ndarray of shape (node,)
        The nodes a split leads to; -1 at a leaf.
    column : ndarray of shape (node,)
        The predictor a split looks at.
    threshold : ndarray of shape (node,)
        Up to which value, inclusive, a split leads left.
    node, sample, weight : ndarray of shape (entry,)
        That a sample has a weight in a leaf; a leaf's weights add up to one.
    samples : int
        How many there are.
    """

    roots: np.ndarray
    left: np.ndarray
    right: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    node: np.ndarray
    sample: np.ndarray
    weight: np.ndarray
    samples: int

    @classmethod
    def of(cls, grown: Any, points: np.ndarray) -> Forest:
        """Return the forest that scikit-learn grew.

        Parameters
        ----------
        grown : sklearn.ensemble.RandomForestRegressor
            Fitted.
        points : ndarray of shape (sample, column)
            What it was fitted on.

        Returns
        -------
        Forest
        """
        trees = [estimator.tree_ for estimator in grown.estimators_]
        roots = np.concatenate([[0], np.cumsum([t.node_count for t in trees])[:-1]]).astype("int64")
        left = np.concatenate([_moved(t.children_left, root) for t, root in zip(trees, roots, strict=True)])
        right = np.concatenate([_moved(t.children_right, root) for t, root in zip(trees, roots, strict=True)])
        entries = [
            _entries(estimator.apply(points[drawn]) + root, drawn)
            for estimator, drawn, root in zip(grown.estimators_, grown.estimators_samples_, roots, strict=True)
        ]
        node, sample, weight = (np.concatenate(part) for part in zip(*entries, strict=True))
        column = np.concatenate([t.feature for t in trees])
        threshold = np.concatenate([t.threshold for t in trees])
        return cls(roots, left, right, column, threshold, node, sample, weight, len(points))

    @property
    def splits(self) -> int:
        """How many splits there are in all trees."""
        return int((self.left != LEAF).sum())

    @property
    def leaves(self) -> int:
        """How many leaves there are in all trees."""
        return int((self.left == LEAF).sum())

    def weights(self, points: np.ndarray) -> np.ndarray:
        """Return the weight of every training sample in the prediction at given points.

        Parameters
        ----------
        points : ndarray of shape (n, column)
            Predictors; compared in single precision, as scikit-learn does.

        Returns
        -------
        ndarray of shape (n, sample)
            Rows add up to one.
        """
        single = points.astype("float32")
        total = np.zeros((len(points), self.samples))
        order = np.argsort(self.node, kind="stable")
        starts = np.searchsorted(self.node[order], np.arange(self.left.size + 1))
        for root in self.roots:
            for row, leaf in enumerate(self._leaves(single, int(root))):
                found = order[starts[leaf] : starts[leaf + 1]]
                total[row, self.sample[found]] += self.weight[found]
        return total / self.roots.size

    def _leaves(self, points: np.ndarray, root: int) -> np.ndarray:
        """Return the leaf of one tree that each point falls into."""
        nodes = np.full(len(points), root)
        rows = np.arange(len(points))
        while (inner := self.left[nodes] != LEAF).any():
            goes_left = points[rows, np.where(inner, self.column[nodes], 0)] <= self.threshold[nodes]
            nodes = np.where(inner, np.where(goes_left, self.left[nodes], self.right[nodes]), nodes)
        return nodes

    def dataset(self) -> xr.Dataset:
        """Return the arrays as a data set that netCDF can hold."""
        dims = {"roots": "tree", "node": "entry", "sample": "entry", "weight": "entry"}
        arrays = {n: (dims.get(n, "all_nodes"), v) for n, v in vars(self).items() if n != "samples"}
        return xr.Dataset(arrays, attrs={"samples": self.samples})

    @classmethod
    def from_dataset(cls, data: xr.Dataset) -> Forest:
        """Return the forest that `dataset` gave."""
        return cls(**{str(n): v.values for n, v in data.items()}, samples=int(data.attrs["samples"]))


def _moved(children: np.ndarray, root: int) -> np.ndarray:
    """Return a tree's children as they are numbered in the forest."""
    return np.where(children >= 0, children + root, LEAF)


def _entries(leaf: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return leaf, sample and weight for the samples that one tree was grown on, drawn with replacement."""
    pairs, counts = np.unique(np.stack([leaf, drawn]), axis=1, return_counts=True)
    _, place = np.unique(pairs[0], return_inverse=True)
    in_leaf = np.bincount(place, weights=counts)
    return pairs[0], pairs[1], counts / in_leaf[place]
