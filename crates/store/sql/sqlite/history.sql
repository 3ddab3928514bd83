-- Since when former values of a provider's bars are kept.
SELECT since FROM store_history WHERE provider = ?1
