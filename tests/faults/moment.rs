use std::time::Duration;

use barkeep_alpaca_sim::WireFault;
use barkeep_orchestrator::SliceJob;
use barkeep_orchestrator::queue::Rate;
use tests::{Child, Hold, Scene, Vendor, Write};

/// A moment in the life of a slice at which a child can be caught.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// Claimed, waiting for the request budget.
    Budget,
    /// The request was sent, no answer came.
    Request,
    /// Half of the answer was read.
    Answer,
    /// In the middle of a write.
    Write(Write),
    /// In the middle of a write that happens while the vendor keeps the slice waiting.
    WriteMeanwhile(Write),
}

/// A child's way to a moment, prepared.
pub(crate) struct Arranged<'a> {
    scene: &'a Scene,
    vendor: &'a Vendor,
    hold: Option<Hold>,
    faults: u64,
}

impl Moment {
    /// Prepares that the next child stops at this moment until it is killed.
    pub(crate) async fn for_ever<'a>(self, scene: &'a Scene, vendor: &'a Vendor) -> Arranged<'a> {
        let hold = match self {
            Self::Write(write) | Self::WriteMeanwhile(write) => Some(Hold::for_ever(scene, write).await),
            _ => None,
        };
        self.arrange(scene, vendor, hold).await
    }

    /// Prepares that the next child stops at this moment, until the arrangement is lifted or some seconds have passed.
    pub(crate) async fn for_a_while<'a>(self, scene: &'a Scene, vendor: &'a Vendor) -> Arranged<'a> {
        let hold = match self {
            Self::Write(write) | Self::WriteMeanwhile(write) => Some(Hold::for_a_while(scene, write).await),
            _ => None,
        };
        self.arrange(scene, vendor, hold).await
    }

    async fn arrange<'a>(self, scene: &'a Scene, vendor: &'a Vendor, hold: Option<Hold>) -> Arranged<'a> {
        let fault = match self {
            Self::Request | Self::WriteMeanwhile(_) => Some(WireFault::NoAnswer),
            Self::Answer => Some(WireFault::SilenceMidBody),
            Self::Budget | Self::Write(_) => None,
        };
        if let Some(fault) = fault {
            vendor.simulator.inject(fault);
        }
        if matches!(self, Self::Budget) {
            let budgets = scene.backend().await.budgets;
            budgets.set_budget("alpaca", &Rate::new(200, Duration::from_secs(60)).unwrap()).await.unwrap();
            budgets.block("alpaca", Duration::from_secs(8)).await.unwrap();
        }
        // A child and a test that both open a new database would take turns; that is not what these tests are about.
        drop(scene.backend().await);
        Arranged { scene, vendor, hold, faults: fault.iter().len() as u64 }
    }
}

impl Arranged<'_> {
    /// Waits until the child is there.
    pub(crate) async fn reached_by(&mut self, child: &mut Child) {
        let there = async {
            self.until_a_slice_runs_or_hangs().await;
            while self.vendor.simulator.requests().faults < self.faults {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        child.while_it_runs(Duration::from_secs(90), there).await;
    }

    async fn until_a_slice_runs_or_hangs(&mut self) {
        if let Some(hold) = &mut self.hold {
            return hold.reached().await;
        }
        let inspect = self.scene.backend().await.inspect;
        while inspect.counts().await.unwrap().get(SliceJob::KIND).is_none_or(|slices| slices.running == 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets whoever is caught go on, and nobody else be caught.
    pub(crate) async fn lift(self) {
        self.vendor.simulator.clear_faults();
        if let Some(hold) = self.hold {
            hold.lift().await;
        }
    }
}

/// A test of `$act` for each moment, on one kind of database.
macro_rules! at_every_moment {
    ($act:ident on $kind:ident in $module:ident $(and $more:ident at $moment:expr)?) => {
        mod $module {
            use tests::{Kind, Write};

            use crate::moment::Moment;

            crate::moment::tests_at! { $act $kind;
                waiting_for_the_request_budget at Moment::Budget;
                waiting_for_the_vendor at Moment::Request;
                in_the_middle_of_an_answer at Moment::Answer;
                with_nothing_written at Moment::Write(Write::Batch);
                in_the_middle_of_a_pages_bars at Moment::Write(Write::Bar);
                with_a_page_written_and_not_committed at Moment::Write(Write::Coverage);
                with_its_pages_committed_and_itself_not_completed at Moment::Write(Write::Completion);
                in_the_middle_of_a_heartbeat at Moment::WriteMeanwhile(Write::Heartbeat);
                in_the_middle_of_planning at Moment::Write(Write::Slice);
                $($more at $moment;)?
            }
        }
    };
}

macro_rules! tests_at {
    ($act:ident $kind:ident; $($name:ident at $moment:expr;)*) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            super::$act(Kind::$kind, $moment).await;
        }
    )* };
}

pub(crate) use {at_every_moment, tests_at};
