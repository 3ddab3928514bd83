//! The program: its address on stdout, its complaints on stderr.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use barkeep_alpaca_sim::AlpacaSim;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alpaca-sim"));
    command.args(arguments);
    command
}

/// Ends the program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn it_says_where_it_listens() {
    let mut child = Running(program(&["--plan", "basic", "--keep-answers"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut address = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let port = address.trim_end().strip_prefix("http://127.0.0.1:").unwrap();
    std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
}

#[test]
fn it_tells_the_truth() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recorded");
    let truth = ["truth", "AAPL", "d1", "2005-02-25T00:00:00Z", "2005-03-01T00:00:00Z"];
    let output = program(&[&["--data", folder], &truth[..]].concat()).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "symbol,ts_utc,open,high,low,close,volume,vwap,trade_count\n\
         AAPL,2005-02-25T05:00:00Z,89.62,89.91,88.19,88.99,32696800,,\n\
         AAPL,2005-02-28T05:00:00Z,44.68,45.14,43.96,44.86,23271800,,\n"
    );
}

#[tokio::test]
async fn it_complains_in_one_line() {
    let taken = AlpacaSim::options().start().await.unwrap();
    let port = taken.base_url().rsplit(':').next().unwrap().to_owned();
    for (arguments, complaint) in [
        (vec!["--port", port.as_str()], "is in use; choose another"),
        (vec!["--data", "/nowhere/at/all"], "cannot read recorded bars at /nowhere/at/all: No such file"),
        (vec!["--keys", "half"], "--keys wants ID:SECRET"),
        (vec!["truth", "AAPL", "d1", "2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z"], "empty time range"),
    ] {
        let output = program(&arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with("error: ") && text.contains(complaint) && text.lines().count() == 1, "{text}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    }
}

#[test]
fn it_says_what_it_expected_instead() {
    let truth = |from| vec!["truth", "AAPL", "d1", from, "2024-01-03T00:00:00Z"];
    for (arguments, complaint) in [
        (vec!["--faults", "1.5"], "expected a number from 0 to 1"),
        (vec!["--faults", "NaN"], "expected a number from 0 to 1"),
        (vec!["--faults", "-1"], "expected a number from 0 to 1"),
        (vec!["--now", "yesterday"], "expected an instant like 2024-01-02T00:00:00Z"),
        (truth("2024-01-02"), "expected an instant like 2024-01-02T00:00:00Z"),
    ] {
        // One that it took would serve for ever.
        let mut child = Running(program(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let (mut address, mut complaints) = (String::new(), String::new());
        BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert_eq!(address, "", "{arguments:?}");
        child.0.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        assert!(complaints.contains(complaint), "{complaints}");
    }
}
