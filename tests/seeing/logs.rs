//! What is logged: the fields that the documentation promises, and no line that somebody else wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use barkeep_alpaca_sim::{AnswerFault, Injection, RetryAfter};
use barkeep_orchestrator::queue::Backoff;
use barkeep_orchestrator::types::Timeframe;
use tests::{Kind, Scene};
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::{definition, orchestrator, quick, simulator};

/// Listens to everything, always. While there is but one subscriber, `tracing` asks that of whatever thread comes by a line
/// first whether it is ever wanted: a test without one would silence the line for these.
static ALSO: LazyLock<Dispatch> = LazyLock::new(|| {
    let all = tracing_subscriber::filter::LevelFilter::TRACE;
    Dispatch::new(tracing_subscriber::fmt().with_max_level(all).with_writer(io::sink).finish())
});

/// What was said: level, the fields of the line, and the spans it stands under with theirs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    level: String,
    fields: BTreeSet<String>,
    spans: Vec<(String, BTreeSet<String>)>,
}

/// Takes down what barkeep says, by its words.
#[derive(Clone, Debug, Default)]
struct Ear {
    said: Arc<Mutex<BTreeMap<String, BTreeSet<Said>>>>,
}

#[derive(Default)]
struct Names {
    message: String,
    fields: BTreeSet<String>,
}

impl Visit for Names {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => {
                self.fields.insert(name.to_owned());
            }
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ear {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut names = Names::default();
        attributes.record(&mut names);
        context.span(id).unwrap().extensions_mut().insert(names.fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !event.metadata().target().starts_with("barkeep_orchestrator") {
            return;
        }
        let mut names = Names::default();
        event.record(&mut names);
        let fields =
            |span: &tracing_subscriber::registry::SpanRef<'_, S>| span.extensions().get::<BTreeSet<String>>().cloned();
        let spans = context.event_scope(event).into_iter().flatten();
        let spans = spans.map(|span| (span.name().to_owned(), fields(&span).unwrap_or_default())).collect();
        let said = Said { level: event.metadata().level().to_string(), fields: names.fields, spans };
        self.said.lock().unwrap().entry(names.message).or_default().insert(said);
    }
}

/// The tables of docs/operating.md whose first column is quoted: what is said, or the span, and the words of the row.
fn documented(heading: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once(&format!("### {heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
        (cells[0].trim_matches('`').to_owned(), (cells[1].to_owned(), words(cells[2])))
    };
    section.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

#[tokio::test]
async fn f57_every_line_of_the_log_has_the_fields_that_are_documented() {
    let ear = Ear::default();
    LazyLock::force(&ALSO);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(ear.clone()));
    let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
    let settings = quick().with_backoff(Backoff::new(Duration::from_millis(1))).with_workers(1);
    let orchestrator = orchestrator(&scene, &simulator, settings).await;
    orchestrator.health().await;
    let fill = async |timeframe| {
        orchestrator.backfill(&[definition(timeframe)], &CancellationToken::new()).await.unwrap();
        simulator.clear_faults();
    };
    simulator.inject(Injection::of(AnswerFault::TooManyRequests(RetryAfter::Seconds(0))));
    fill(Timeframe::D1).await;
    simulator.inject(Injection::of(AnswerFault::Status(503)).times(4));
    fill(Timeframe::H1).await;
    simulator.inject(Injection::of(AnswerFault::Refusal(400, "invalid symbol: MSFT".into())));
    fill(Timeframe::H4).await;
    let elsewhere = || AnswerFault::Redirect("http://127.0.0.1:9/".into());
    simulator.inject(Injection::of(elsewhere()).times(50));
    fill(Timeframe::M30).await;
    simulator.inject(Injection::of(elsewhere()));
    orchestrator.run(&CancellationToken::new()).await.unwrap_err();
    orchestrator.health().await;

    let said = ear.said.lock().unwrap().clone();
    let (lines, spans) = (documented("Lines"), documented("Spans"));
    for words in [
        "tick",
        "planned",
        "slice done",
        "slice waits",
        "slice failed; trying again",
        "slice failed again",
        "slice failed for good",
        "symbol set aside",
        "health changed",
        "stopped",
    ] {
        assert!(said.contains_key(words), "{words} was never said: {:?}", said.keys());
    }
    for (words, ways) in &said {
        let Some((level, fields)) = lines.get(words) else { panic!("{words:?} is not documented: {ways:?}") };
        for way in ways {
            assert!(level.contains(&way.level), "{words}: {} is not {level}", way.level);
            assert!(way.fields.is_subset(fields), "{words}: {:?} are not all of {fields:?}", way.fields);
            for (span, names) in &way.spans {
                assert_eq!(Some(names), spans.get(span).map(|(_, fields)| fields), "span {span}");
            }
        }
    }
    let ticks = &said["tick"];
    assert!(ticks.iter().all(|tick| tick.spans.iter().any(|(span, _)| span == "tick")));
    for (words, above) in [
        ("planned", "plan"),
        ("planned", "tick"),
        ("slice done", "slice"),
        ("slice failed for good", "slice"),
        ("symbol set aside", "slice"),
    ] {
        let under = said[words].iter().all(|said| said.spans.iter().any(|(span, _)| span == above));
        assert!(under, "{words} stands under its {above}");
    }
}

/// Where a subscriber writes.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn f57_text_from_outside_neither_ends_a_line_nor_colours_it() {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    LazyLock::force(&ALSO);
    let _guard = tracing::subscriber::set_default(subscriber);
    for message in ["x\n2026-01-01T00:00:00Z ERROR forged", "\u{1b}[31mforged\u{1b}[0m\r\nforged\u{202e}"] {
        let (scene, simulator) = (Scene::on(Kind::Sqlite).await, simulator().await);
        let settings = quick().with_backoff(Backoff::new(Duration::from_millis(1)));
        let orchestrator = orchestrator(&scene, &simulator, settings).await;
        // Once in the reason of a failure, once in that of a symbol's refusal.
        simulator.inject(Injection::of(AnswerFault::Refusal(500, message.to_owned())));
        orchestrator.backfill(&[definition(Timeframe::D1)], &CancellationToken::new()).await.unwrap();
        simulator.inject(Injection::of(AnswerFault::Refusal(400, message.to_owned())).times(50));
        orchestrator.backfill(&[definition(Timeframe::H1)], &CancellationToken::new()).await.unwrap();
    }
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    for words in ["forged", "slice failed; trying again", "symbol set aside"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains('\r') && !text.contains('\u{202e}'));
    for line in text.lines().filter(|line| line.contains("forged")) {
        assert!(line.contains("barkeep_") || line.contains("slice{"), "a line of ours: {line}");
    }
    assert!(!text.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z ERROR forged")));
}

#[test]
fn every_line_that_can_be_said_is_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/orchestrator/src");
    let lines = documented("Lines");
    let mut said = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = if path.is_file() { std::fs::read_to_string(&path).unwrap() } else { continue };
        for level in ["error", "warn", "info", "debug", "trace"] {
            for call in text.split(&format!("tracing::{level}!(")).skip(1) {
                // The words stand last: up to the first quotation mark that a bracket follows.
                let mut marks = call.match_indices('"').map(|(place, _)| place);
                let is_last = |place: &usize| call[place + 1..].trim_start_matches([' ', '\n', ',']).starts_with(')');
                let words = call[..marks.find(is_last).unwrap()].rsplit('"').next().unwrap();
                assert!(lines.contains_key(words), "{}: {words:?} is not documented", path.display());
                said += 1;
            }
        }
    }
    assert!(said > 20, "only {said} lines were found");
}
