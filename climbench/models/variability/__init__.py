"""Parts of emulators of the distribution: what varies about the forced response, in time and in space.

``smoothing``             what is slow in a series, and what is left
``red_noise``             autoregression of first order
``localisation``          spatial covariance from few samples
``local_variability``     fields that are red in time at each cell and correlated in space
"""
