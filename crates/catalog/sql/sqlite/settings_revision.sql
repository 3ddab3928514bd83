-- The number of the latest change of any setting.
SELECT coalesce(max(revision), 0) FROM catalog_setting_change
