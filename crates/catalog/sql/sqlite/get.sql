-- One definition.
SELECT definition FROM catalog_definition WHERE name = ?1
