//! Channels that close by themselves, do not open, or do not close.

use std::time::Duration;

use microvisor::session::Cause;
use microvisor::{OpenError, Status, sys};
use microvisor_sim::Fault;

use crate::survival::{Case, Moment, back_offs};

/// What ABI 0.7.0 lists, and what it does not.
const CLOSURE_REASONS: [u32; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 4711];

crate::cases! {
    a_channel_that_is_closed_in_any_state_for_any_reason => closed(false);
    a_channel_that_is_closed_without_a_notification => closed(true);
    a_channel_that_the_broker_closes_for_any_reason => {
        CLOSURE_REASONS.into_iter().map(|reason| {
            Case::new(format!("connection cut, closure reason {reason}"), "online")
                .strikes(30, move |world| world.broker.drop_connection_because(reason))
                .passes_for_transient()
        })
    };
    opening_that_is_rate_limited => opening(sys::MV_STATUS_RATELIMITED);
    opening_while_all_channels_are_open => opening(sys::MV_STATUS_TOOMANYCHANNELS);
    opening_that_fails_with_a_status_of_a_newer_kernel => opening(4711);
    closing_that_fails_for_a_while => Moment::WITH_CHANNEL.into_iter().map(|moment| closing(moment, 90));
    closing_that_fails_once => Moment::WITH_CHANNEL.into_iter().map(|moment| closing(moment, 0));
    closing_that_fails_after_having_closed => Moment::WITH_CHANNEL.into_iter().map(|moment| {
        moment.case("mvCloseChannel closes and answers InternalError", |device| {
            device.inject(Fault::call("mvCloseChannel").after_effect());
            device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
        }).check(|world| {
            // It is tried again, as it has to be; by then there is no such channel.
            let misuse = world.device.take_misuse();
            assert!(misuse.iter().all(|misuse| misuse.call == "mvCloseChannel"), "{misuse:?}");
        })
    });
    closing_that_denies_having_closed => Moment::WITH_CHANNEL.into_iter().map(|moment| {
        moment.case("mvCloseChannel closes and answers InvalidHandle", |device| {
            let close = Fault::call("mvCloseChannel").status(sys::MV_STATUS_INVALIDHANDLE);
            device.inject(close.after_effect());
            device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
        })
    });
    closing_that_denies_an_open_channel => Moment::WITH_CHANNEL.into_iter().map(|moment| {
        moment.case("mvCloseChannel closes nothing and answers InvalidHandle", |device| {
            device.inject(Fault::call("mvCloseChannel").status(sys::MV_STATUS_INVALIDHANDLE));
            device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
        }).check(|world| {
            // Another channel is tried on its buffers, as the kernel's answer allows; it says which is so.
            let misuse = world.device.take_misuse();
            assert!(misuse.iter().all(|misuse| misuse.call == "mvOpenChannel"), "{misuse:?}");
        })
    });
}

fn closed(silently: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for moment in Moment::WITH_CHANNEL {
        for reason in CLOSURE_REASONS {
            let how = if silently { ", unnotified" } else { "" };
            cases.push(moment.case(format!("channel closed, reason {reason}{how}"), move |device| {
                if silently {
                    device.inject(Fault::notifications().drop(1));
                }
                device.close_channels(reason);
            }));
        }
    }
    cases
}

/// For two minutes, from the start and in mid-session.
fn opening(raw: u32) -> Vec<Case> {
    let status = Status::check(raw).expect_err("no success");
    let case = |at: u64, state: &'static str| {
        Case::new(format!("mvOpenChannel fails with {status:?}"), state)
            .strikes(at, move |world| {
                let fault = Fault::call("mvOpenChannel").until(Duration::from_secs(at + 120));
                world.device.inject(fault.status(raw));
                world.broker.drop_connection();
            })
            .until(at + 120, |_| ())
            .passes_for_transient()
            .check(move |world| {
                let waits = back_offs(world, Duration::from_secs(at), Duration::from_secs(at + 120));
                let open = Cause::Open(OpenError::Kernel(status));
                assert!(waits.iter().any(|(.., cause)| *cause == open), "{waits:?}");
            })
    };
    vec![case(0, "fetching settings"), case(30, "connecting")]
}

fn closing(moment: Moment, until: u64) -> Case {
    let how = if until == 0 { "once" } else { "for a while" };
    let case = moment.case(format!("mvCloseChannel fails {how}"), move |device| {
        let close = Fault::call("mvCloseChannel").status(sys::MV_STATUS_MICROVISORBUSY);
        let close = if until == 0 { close } else { close.until(Duration::from_secs(until)) };
        device.inject(close);
        device.close_channels(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
    });
    case.until(until, |_| ()).tells("the kernel is busy")
}
