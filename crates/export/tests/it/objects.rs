use std::sync::Arc;

use barkeep_export::object_store::memory::InMemory;
use barkeep_export::object_store::path::Path;
use barkeep_export::object_store::{ObjectStore, ObjectStoreExt};
use barkeep_export::{Destination, Export};
use barkeep_types::TimeRange;
use futures::TryStreamExt;

use crate::support::{Bars, files, minutes, series};

#[tokio::test]
async fn an_object_store_gets_the_same_files_as_a_folder() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    let all = [series("BRK.B"), series("BTC/USD")];
    for series in &all {
        bars.put(series, minutes("2024-03-08T14:30:00Z", 10)).await;
    }
    let objects = Arc::new(InMemory::new());
    let export = Export::new(Destination::object_store(objects.clone(), "some/prefix").unwrap());
    let first = export.run(&bars.store, &all, TimeRange::ALWAYS).await.unwrap();
    let second = export.run(&bars.store, &all, TimeRange::ALWAYS).await.unwrap();
    assert_eq!((first.written, second.written, second.unchanged), (2, 0, 2));
    Export::new(Destination::folder(folder.path())).run(&bars.store, &all, TimeRange::ALWAYS).await.unwrap();
    let listed: Vec<_> = objects.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), 3);
    for path in files(folder.path()) {
        let object = objects.get(&Path::parse(format!("some/prefix/{path}")).unwrap()).await.unwrap();
        assert_eq!(object.bytes().await.unwrap(), std::fs::read(folder.path().join(&path)).unwrap(), "{path}");
    }
}

#[cfg(feature = "cloud")]
#[test]
fn places_that_are_no_object_store_are_refused_without_their_secrets() {
    let none: [(&str, &str); 0] = [];
    for url in ["", "bars", "file:///etc", "memory:///", "ftp://user:canary@host/x", "s3://"] {
        let error = Destination::url(url, none).unwrap_err();
        assert_eq!(error.code(), "INVALID_DESTINATION", "{url}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
