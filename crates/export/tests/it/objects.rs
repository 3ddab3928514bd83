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

#[cfg(feature = "s3")]
mod s3 {
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    /// A bucket in which nothing is, and which takes everything.
    async fn bucket() -> MockServer {
        let server = MockServer::start().await;
        let missing = "<Error><Code>NoSuchKey</Code></Error>";
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(404).set_body_string(missing))
            .mount(&server)
            .await;
        Mock::given(method("HEAD")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
        let taken = ResponseTemplate::new(200).insert_header("ETag", "\"1\"");
        Mock::given(method("PUT")).respond_with(taken).mount(&server).await;
        server
    }

    #[tokio::test]
    async fn files_are_put_into_a_bucket_under_their_paths_signed() {
        let (bars, server) = (Bars::new().await, bucket().await);
        let all = [series("BRK.B")];
        bars.put(&all[0], minutes("2024-03-08T14:30:00Z", 10)).await;
        let options = [
            ("aws_endpoint", server.uri()),
            ("aws_allow_http", "true".into()),
            ("aws_region", "us-east-1".into()),
            ("aws_access_key_id", "key".into()),
            ("aws_secret_access_key", "canary".into()),
        ];
        let destination = Destination::url("s3://bucket/some/prefix", options).unwrap();
        assert!(!format!("{destination:?}").contains("canary"));
        Export::new(destination).run(&bars.store, &all, TimeRange::ALWAYS).await.unwrap();
        let requests = server.received_requests().await.unwrap();
        let puts: Vec<_> = requests.iter().filter(|request| request.method.as_str() == "PUT").collect();
        let paths: Vec<_> = puts.iter().map(|request| request.url.path().replace("%3D", "=")).collect();
        let root = "/bucket/some/prefix";
        // The key holds a percent sign, which the URL encodes.
        let file = "feed=sip/adjustment=raw/timeframe=m1/symbol=BRK%252EB/year=2024/bars.parquet";
        assert_eq!(paths, [format!("{root}/{file}"), format!("{root}/_manifest.json")]);
        assert!(puts[0].body.starts_with(b"PAR1"));
        let signed = |header: &str| header.starts_with("AWS4-HMAC-SHA256 Credential=key/");
        assert!(puts.iter().all(|request| signed(request.headers["authorization"].to_str().unwrap())));
    }
}
