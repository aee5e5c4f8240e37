"""Spanish: people are addressed as "usted"; words of the field as in tesela, fotograma, lote, preajuste, red, pesos."""
