"""Parts of the emulators that regress each year's climate on that year's emissions.

``emission_eofs``           yearly emissions as a few numbers
``exact_gaussian_process``  many outputs with one kernel
``forest``                  a grown random forest as plain arrays
"""
