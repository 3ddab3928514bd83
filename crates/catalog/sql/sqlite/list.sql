-- Every definition.
SELECT definition FROM catalog_definition ORDER BY name
