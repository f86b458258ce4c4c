r"""Mass and energy of one layer of fluid of constant density under a free surface: shallow water.

With :math:`\Phi` the geopotential of the free surface, :math:`\Phi_s` that of the ground, and :math:`\phi = \Phi -
\Phi_s` that of the depth, the equations

.. math:: \partial_t \phi = -\nabla \cdot (\phi \mathbf{u}), \qquad
          \partial_t \mathbf{u} = -(\zeta + f)\, \mathbf{k} \times \mathbf{u} - \nabla (K + \Phi), \qquad
          K = \tfrac12 \mathbf{u} \cdot \mathbf{u}

conserve the mean over the globe of :math:`\phi`, which is mass, and of

.. math:: E = \phi \left(K + \tfrac12 \phi + \Phi_s\right),

which is energy: :math:`\partial_t E = (K + \Phi)\, \partial_t \phi + \phi\, \mathbf{u} \cdot \partial_t \mathbf{u} =
-\nabla \cdot (\phi \mathbf{u} (K + \Phi))`. Both are g times those of a column of unit density, so that the ratio of
their means is energy by mass.

References
----------
Vallis (2017), Atmospheric and Oceanic Fluid Dynamics, second edition, section 3.6 (energy of shallow water).
"""

from __future__ import annotations

from climbench.physics.arrays import Array, double
from climbench.physics.energy import kinetic_energy


def layer_depth(surface: Array, ground: Array | float) -> Array:
    """Return how deep a layer is, as a geopotential.

    Parameters
    ----------
    surface : array of shape (..., latitude, longitude)
        Geopotential of the free surface, in m2 s-2.
    ground : array of shape (latitude, longitude) or float
        That of the ground, in m2 s-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In m2 s-2, float64.
    """
    return double(surface, surface) - (ground if isinstance(ground, (int, float)) else double(ground, surface))


def layer_energy(surface: Array, eastward: Array, northward: Array, ground: Array | float) -> Array:
    """Return the energy of a layer: of motion, of its own depth, and of the ground it stands on.

    Parameters
    ----------
    surface : array of shape (..., latitude, longitude)
        Geopotential of the free surface, in m2 s-2.
    eastward, northward : array of shape (..., latitude, longitude)
        Winds in m s-1.
    ground : array of shape (latitude, longitude) or float
        Geopotential of the ground, in m2 s-2.

    Returns
    -------
    array of shape (..., latitude, longitude)
        In m4 s-4, float64: over the mean of the depth it is energy by mass, in m2 s-2 (J kg-1).
    """
    depth = layer_depth(surface, ground)
    motion = kinetic_energy(double(eastward, depth), double(northward, depth))
    return depth * (motion + 0.5 * depth + (ground if isinstance(ground, (int, float)) else double(ground, depth)))
