-- Which years of a series have bars that changed in a way which coverage does not show: revised, come late into time that
-- was covered, come without coverage, or gone. The mark is another one every time. Whoever kept the mark and what was
-- covered knows without reading a bar whether the year is as it was.
CREATE TABLE barkeep.store_rewrite (
    series_id int4 NOT NULL,
    year int4 NOT NULL,
    mark text NOT NULL,
    PRIMARY KEY (series_id, year)
);
