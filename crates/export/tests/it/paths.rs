use std::fs;

use barkeep_export::{Destination, Error, Export};
use barkeep_types::{Symbol, TimeRange};

use crate::support::{Bars, files, minutes, series};

#[tokio::test]
async fn no_symbol_leads_out_of_its_folder() {
    let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
    let hostile = ["BRK.B", "BTC/USD", "A/../../../../X", "A/../B", "A//B", "A..", "0/", "CON", "NUL.TXT"];
    let all: Vec<_> = hostile.iter().map(|symbol| series(symbol)).collect();
    for series in &all {
        bars.put(series, minutes("2024-03-08T14:30:00Z", 1)).await;
    }
    let root = folder.path().join("a/b");
    let export = Export::new(Destination::folder(&root));
    assert_eq!(export.run(&bars.store, &all, TimeRange::ALWAYS).await.unwrap().written, 9);
    let found = files(folder.path());
    assert_eq!(found.len(), 10, "{found:?}");
    assert!(found.iter().all(|path| path.starts_with("a/b/") && !path.contains("..")), "{found:?}");
    let folders: Vec<_> =
        found.iter().filter_map(|path| path.split('/').find(|step| step.starts_with("symbol="))).collect();
    assert!(folders.contains(&"symbol=BRK%2EB") && folders.contains(&"symbol=BTC%2FUSD"), "{folders:?}");
}

#[test]
fn no_symbol_starts_a_formula() {
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "A,=1", "\"=1", "'=1"] {
        assert!(text.parse::<Symbol>().is_err(), "{text:?}");
    }
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    async fn refused(export: &Export, bars: &Bars) {
        let error = export.run(&bars.store, &[series("AAPL")], TimeRange::ALWAYS).await.unwrap_err();
        assert!(matches!(error, Error::UnsafePath { .. }), "{error}");
        assert_eq!(error.code(), "UNSAFE_PATH");
    }

    #[tokio::test]
    async fn no_symbolic_link_is_followed_out_of_the_folder() {
        let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
        bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 1)).await;
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        fs::create_dir(&outside).unwrap();
        let target = outside.join("precious");
        fs::write(&target, "precious").unwrap();
        let export = Export::new(Destination::folder(&root));
        let file = "feed=sip/adjustment=raw/timeframe=m1/symbol=AAPL/year=2024/bars.parquet";
        for link in ["_manifest.json", "feed=sip", "feed=sip/adjustment=raw/timeframe=m1/symbol=AAPL", file] {
            let link = root.join(link);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(if link.extension().is_some() { &target } else { &outside }, &link).unwrap();
            refused(&export, &bars).await;
            // Hard to tell from a file that is not there, for whoever follows it.
            fs::remove_file(&link).unwrap();
            symlink(outside.join("not there"), &link).unwrap();
            refused(&export, &bars).await;
            fs::remove_dir_all(&root).unwrap();
        }
        assert_eq!(files(&outside), ["precious"]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }

    #[tokio::test]
    async fn the_folder_itself_may_be_reached_through_a_link() {
        let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
        bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 1)).await;
        fs::create_dir(folder.path().join("disk")).unwrap();
        symlink(folder.path().join("disk"), folder.path().join("export")).unwrap();
        let export = Export::new(Destination::folder(folder.path().join("export")));
        assert_eq!(export.run(&bars.store, &[series("AAPL")], TimeRange::ALWAYS).await.unwrap().written, 1);
    }

    #[tokio::test]
    async fn files_are_replaced_whole_and_nothing_is_left_beside_them() {
        let (bars, folder) = (Bars::new().await, tempfile::tempdir().unwrap());
        bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 1)).await;
        let export = Export::new(Destination::folder(folder.path()));
        export.run(&bars.store, &[series("AAPL")], TimeRange::ALWAYS).await.unwrap();
        let path = folder.path().join("feed=sip/adjustment=raw/timeframe=m1/symbol=AAPL/year=2024/bars.parquet");
        // Whoever has opened the old file goes on reading the old file.
        let old = fs::read(&path).unwrap();
        let kept = folder.path().join("kept");
        fs::hard_link(&path, &kept).unwrap();
        bars.put(&series("AAPL"), minutes("2024-03-08T14:30:00Z", 5)).await;
        export.run(&bars.store, &[series("AAPL")], TimeRange::ALWAYS).await.unwrap();
        assert_eq!(fs::read(&kept).unwrap(), old);
        assert_ne!(fs::read(&path).unwrap(), old);
        assert_eq!(files(folder.path()).len(), 3);
    }
}
