use std::io::Write;

use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use barkeep_store::Store;
use barkeep_types::{Series, TimeRange};
use futures::stream::TryStreamExt;

use crate::{Error, Result, batches, schema};

/// Writes [`batches`] as an Arrow IPC stream, and returns how many bars there were.
///
/// A stream of no bars is whole too: it has the schema and no batch.
///
/// # Errors
///
/// [`Error::Store`], [`Error::Io`] if `sink` fails, or [`Error::Encoding`]; what was written until then stays.
pub async fn write_ipc(store: &dyn Store, series: &[Series], range: TimeRange, sink: impl Write + Send) -> Result<u64> {
    let mut writer = StreamWriter::try_new(sink, &schema()).map_err(failed)?;
    let mut all = batches(store, series, range);
    let mut rows = 0;
    while let Some(batch) = all.try_next().await? {
        writer.write(&batch).map_err(failed)?;
        rows += batch.num_rows() as u64;
    }
    writer.finish().map_err(failed)?;
    writer.into_inner().map_err(failed)?.flush().map_err(|error| Error::io("the stream", error))?;
    Ok(rows)
}

fn failed(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => Error::io("the stream", source),
        other => Error::encoding(other),
    }
}
