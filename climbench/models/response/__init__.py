"""Parts of the impulse-response emulators, in the order that emissions pass through them.

``emission_history``      global emissions from before industry on, from inputs that may begin late
``carbon_cycle``          emissions of carbon dioxide to what stays in the air
``greenhouse_forcing``    concentrations of carbon dioxide and methane to their forcing
``forcing``               all emissions to effective radiative forcing
``energy_balance``        forcing to global temperature
``global_response``       the whole chain, with the few parameters that are fitted
``local_regression``      global series to every cell of a field
"""
