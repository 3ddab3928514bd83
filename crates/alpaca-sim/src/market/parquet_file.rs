//! Recorded bars in a table, with the columns that the text has.

use std::fs::File;

use super::recorded::{Fault, Row};

#[cfg(not(feature = "parquet"))]
pub(super) fn rows(_: File) -> Result<Vec<Row>, Fault> {
    Err(Fault::new(0, "Parquet files are read with the feature `parquet` only"))
}

#[cfg(feature = "parquet")]
pub(super) use table::rows;

#[cfg(feature = "parquet")]
mod table {
    use chrono::{DateTime, Utc};
    use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
    use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
    use parquet::data_type::DataType;
    use parquet::errors::ParquetError;
    use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
    use parquet::schema::types::ColumnDescriptor;

    use super::{Fault, File, Row};

    const TIME: &str = "ts_utc";

    /// Every bar of the file, in its order. Numbers may be of any width, whole or not; times of any unit.
    pub(in super::super) fn rows(file: File) -> Result<Vec<Row>, Fault> {
        let reader = SerializedFileReader::new(file).map_err(unreadable)?;
        let mut rows = Vec::new();
        for index in 0..reader.num_row_groups() {
            let group = reader.get_row_group(index).map_err(unreadable)?;
            read_group(group.as_ref(), &mut rows)?;
        }
        Ok(rows)
    }

    fn unreadable(error: ParquetError) -> Fault {
        Fault::new(0, error)
    }

    fn read_group(group: &dyn RowGroupReader, rows: &mut Vec<Row>) -> Result<(), Fault> {
        let starts = times(group)?;
        let number = |name| numbers(group, name);
        let (open, high, low) = (number("open")?, number("high")?, number("low")?);
        let (close, volume) = (number("close")?, number("volume")?);
        for (index, start) in starts.into_iter().enumerate() {
            let (open, high, low) = (open[index], high[index], low[index]);
            let (close, volume) = (close[index], volume[index]);
            rows.push(Row { line: rows.len() as u64 + 1, start, open, high, low, close, volume });
        }
        Ok(())
    }

    /// The place of a column at the top of the schema.
    fn place(group: &dyn RowGroupReader, name: &str) -> Result<usize, Fault> {
        let columns = group.metadata().schema_descr().columns();
        let found = columns.iter().position(|column| column.path().parts() == [name]);
        found.ok_or_else(|| Fault::new(0, format!("there is no column {name}")))
    }

    fn times(group: &dyn RowGroupReader) -> Result<Vec<DateTime<Utc>>, Fault> {
        let place = place(group, TIME)?;
        let column = group.metadata().column(place).column_descr();
        let unit = unit(column).ok_or_else(|| Fault::new(0, format!("{TIME} is no column of timestamps")))?;
        let ColumnReader::Int64ColumnReader(values) = group.get_column_reader(place).map_err(unreadable)? else {
            return Err(Fault::new(0, format!("{TIME} is no column of timestamps")));
        };
        let instant = |value: i64| match unit {
            TimeUnit::MILLIS => DateTime::from_timestamp_millis(value),
            TimeUnit::MICROS => DateTime::from_timestamp_micros(value),
            TimeUnit::NANOS => Some(DateTime::from_timestamp_nanos(value)),
        };
        let instant = |value| instant(value).ok_or_else(|| Fault::new(0, format!("{value} is no time")));
        read(values, TIME, group)?.into_iter().map(instant).collect()
    }

    fn unit(column: &ColumnDescriptor) -> Option<TimeUnit> {
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Timestamp(timestamp)), _) => Some(timestamp.unit),
            (_, ConvertedType::TIMESTAMP_MILLIS) => Some(TimeUnit::MILLIS),
            (_, ConvertedType::TIMESTAMP_MICROS) => Some(TimeUnit::MICROS),
            _ => None,
        }
    }

    fn numbers(group: &dyn RowGroupReader, name: &str) -> Result<Vec<f64>, Fault> {
        match group.get_column_reader(place(group, name)?).map_err(unreadable)? {
            ColumnReader::DoubleColumnReader(values) => read(values, name, group),
            ColumnReader::FloatColumnReader(values) => {
                Ok(read(values, name, group)?.into_iter().map(f64::from).collect())
            }
            ColumnReader::Int32ColumnReader(values) => {
                Ok(read(values, name, group)?.into_iter().map(f64::from).collect())
            }
            ColumnReader::Int64ColumnReader(values) => {
                Ok(read(values, name, group)?.into_iter().map(|value| value as f64).collect())
            }
            _ => Err(Fault::new(0, format!("{name} is no column of numbers"))),
        }
    }

    /// All values of a column; one that is null is one too few.
    fn read<T: DataType>(
        mut column: ColumnReaderImpl<T>,
        name: &str,
        group: &dyn RowGroupReader,
    ) -> Result<Vec<T::T>, Fault> {
        let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut read = 0;
        while read < count {
            let (records, ..) =
                column.read_records(count - read, Some(&mut levels), None, &mut values).map_err(unreadable)?;
            if records == 0 {
                break;
            }
            read += records;
        }
        if values.len() == count { Ok(values) } else { Err(Fault::new(0, format!("{name} lacks values"))) }
    }
}
